// The session of this tab, kept for when the page is loaded again; where the browser allows it.

const key = "nora.session";

export const keptSession = {
  get: (): string => {
    try {
      return sessionStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  },
  set: (token: string): void => {
    try {
      sessionStorage.setItem(key, token);
    } catch {
      // then it is lost when the page is
    }
  },
};
