// What may be seen of free text (names of studies and files, sequences, metadata) where identities are hidden: the
// words of a fixed list, which say how something was measured, and short numbers. Whatever else stands there may be a
// name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Characters that stand between words; all others are parts of words, which are not shown then. Few, because in SQL each
/// is a call within the other, and SQLite takes no deep ones.
inline constexpr std::string_view wordSeparators = "-_ .";

/// The words of a text, folded as foldText() does.
[[nodiscard]] std::vector<std::string> wordsOf(std::string_view text);

/// The word, as wordsOf() gives it, is on the list, with at most four digits behind it ("run2", "b1000"), or it is a
/// number of at most three digits.
[[nodiscard]] bool isShownWord(std::string_view word);

/// The text with an x for each word that is not shown. `pseudonym`, where it stands in the text, stays; may be empty.
[[nodiscard]] std::string shownText(std::string_view text, std::string_view pseudonym);

/// A top-level key of metadata whose value is shown, as far as it is a number, a flag or shown text. In any case of
/// letters. DICOM, BIDS and participants.tsv have such keys.
[[nodiscard]] bool isShownKey(std::string_view key);

}  // namespace nora
