// What a search should find, said in plain C++ and in another way than the SQL: dates by their beginnings, wildcards by
// recursion, metadata by walking the JSON.
#include "archive/access/shown_words.hpp"
#include "archive/search/fold.hpp"
#include "archive/search/query_values.hpp"
#include "tests/archive/search_world.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <regex>

namespace nora::test {
namespace {

struct Character {
  std::string text;
  bool any = false;   // ?
  bool many = false;  // *
};

std::vector<Character> characters(const std::string& folded) {
  std::vector<Character> result;
  for (const char c : folded) {
    if ((c & 0xC0) != 0x80) result.emplace_back();
    result.back().text += c;
  }
  return result;
}

std::vector<Character> patternOf(const Operand& operand) {
  auto pattern = characters(foldText(*operand.text));
  for (Character& c : pattern) {
    c.any = !operand.quoted && c.text == "?";
    c.many = !operand.quoted && c.text == "*";
  }
  return pattern;
}

bool fits(const std::vector<Character>& pattern, std::size_t p, const std::vector<Character>& text, std::size_t t) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p].many) return fits(pattern, p + 1, text, t) || (t < text.size() && fits(pattern, p, text, t + 1));
  if (t == text.size()) return false;
  return (pattern[p].any || pattern[p].text == text[t].text) && fits(pattern, p + 1, text, t + 1);
}

bool fits(const Operand& operand, const std::string& text) {
  return fits(patternOf(operand), 0, characters(foldText(text)), 0);
}

bool holds(const std::string& text, const std::string& part) {
  return foldText(text).find(foldText(part)) != std::string::npos;
}

/// Where names are hidden: what is asked for, if it is nothing but words that are shown, in the form of asWords().
std::optional<Operand> shownOperand(const Operand& wanted, bool inside) {
  Operand out;
  out.text = inside ? "*" : "";
  std::string run;
  const auto addRun = [&] {
    const auto words = wordsOf(run);
    for (const auto& word : words) *out.text += "-" + word + "-";
    run.clear();
    return std::all_of(words.begin(), words.end(), isShownWord);
  };
  for (const char c : *wanted.text) {
    if (wanted.quoted || (c != '*' && c != '?')) {
      run += c;
      continue;
    }
    if (c == '?' || !addRun()) return std::nullopt;
    *out.text += '*';
  }
  if (!addRun()) return std::nullopt;
  if (inside) *out.text += '*';
  return out;
}

std::string asWords(const std::string& text) {
  std::string out = "-";
  for (const char c : foldText(text)) {
    if (wordSeparators.find(c) == std::string_view::npos)
      out += c;
    else
      out += "--";
  }
  return out + "-";
}

bool fitsShown(const Operand& wanted, const std::string& text, bool inside = false) {
  const auto shown = shownOperand(wanted, inside);
  return shown && fits(*shown, asWords(text));
}

bool hasNumber(const std::string& text) {
  const auto words = wordsOf(text);
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word.find_first_not_of("0123456789") == std::string::npos; });
}

template <class T>
bool ordered(Comparison comparison, const T& value, const T& wanted) {
  switch (comparison) {
    case Comparison::less: return value < wanted;
    case Comparison::lessEqual: return value <= wanted;
    case Comparison::greater: return value > wanted;
    case Comparison::greaterEqual: return value >= wanted;
    default: return value == wanted;
  }
}

bool numberFits(const Condition& condition, double value, double tolerance = 0) {
  const auto compare = [&](Comparison comparison, double wanted) {
    const bool same = std::abs(value - wanted) <= tolerance;
    return same ? comparison != Comparison::less && comparison != Comparison::greater
                : ordered(comparison, value, wanted);
  };
  if (condition.comparison != Comparison::range) return compare(condition.comparison, *condition.operand.number);
  return (!condition.operand.number || compare(Comparison::greaterEqual, *condition.operand.number)) &&
         (!condition.upper.number || compare(Comparison::lessEqual, *condition.upper.number));
}

/// A longer text that begins with the date lies in it.
bool dayFits(const Condition& condition, const std::string& day) {
  const auto compare = [&](Comparison comparison, const SearchDate& wanted) {
    const std::string text = dateText(wanted);
    if (day.starts_with(text)) return comparison != Comparison::less && comparison != Comparison::greater;
    return ordered(comparison, day, text);
  };
  if (day.empty()) return false;
  if (condition.comparison != Comparison::range) return compare(condition.comparison, *condition.operand.date);
  return (!condition.operand.date || compare(Comparison::greaterEqual, *condition.operand.date)) &&
         (!condition.upper.date || compare(Comparison::lessEqual, *condition.upper.date));
}

std::string dayOf(std::int64_t us) {
  using namespace std::chrono;
  const year_month_day day(floor<days>(sys_time<microseconds>(microseconds(us))));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text.data();
}

void collect(const nlohmann::json& value, const std::string& key, std::vector<nlohmann::json>& found) {
  if (value.is_array()) {
    for (const auto& inner : value) collect(inner, key, found);
  } else if (key.empty()) {
    if (!value.is_null() && !value.is_object()) found.push_back(value);
  } else if (value.is_object()) {
    const auto dot = key.find('.');
    for (const auto& [name, inner] : value.items()) {
      if (foldText(name) != key.substr(0, dot)) continue;
      collect(inner, dot == std::string::npos ? "" : key.substr(dot + 1), found);
    }
  }
}

std::vector<nlohmann::json> valuesOf(const Item& item, const std::string& key) {
  std::vector<nlohmann::json> found;
  collect(item.meta, foldText(key), found);
  return found;
}

bool valueFits(const Condition& condition, const nlohmann::json& value, bool isHidden) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  static const std::regex number(R"([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)");
  static const std::regex day(R"(\d\d\d\d-\d\d-\d\d[^]*)");
  if (condition.operand.number || condition.upper.number) {
    if (!value.is_number() && !std::regex_match(text, number)) return false;
    if (value.is_boolean()) return false;
    return numberFits(condition, std::stod(text));
  }
  if (condition.operand.date || condition.upper.date) return std::regex_match(text, day) && dayFits(condition, text);
  if (isHidden) {
    const bool isAsked = condition.comparison == Comparison::equal && !hasNumber(*condition.operand.text);
    return isAsked && fitsShown(condition.operand, text);
  }
  if (condition.comparison == Comparison::equal) return fits(condition.operand, text);
  return ordered(condition.comparison, foldText(text), foldText(*condition.operand.text));
}

class Reference {
 public:
  Reference(const World& world, const SearchScope& scope) : world_(world), scope_(scope) {}

  bool seen(const Item& item) const {
    return hidden(item) || (scope_.everyProject || contains(scope_.projects, item.parents[1]));
  }

  bool holdsFor(const Query& query, Level level, const Item& item) const {
    const auto each = [&](const Query& child) { return holdsFor(child, level, item); };
    switch (query.kind) {
      case Query::Kind::everything: return true;
      case Query::Kind::both: return std::all_of(query.children.begin(), query.children.end(), each);
      case Query::Kind::either: return std::any_of(query.children.begin(), query.children.end(), each);
      case Query::Kind::not_: return !each(query.children.front());
      case Query::Kind::condition: break;
    }
    const Condition& condition = query.condition;
    if (condition.field == SearchField::meta && hidden(item) && !isShownKey(condition.key)) return false;
    if (condition.comparison == Comparison::present) return present(condition, level, item);
    if (condition.comparison != Comparison::notEqual) return equal(condition, level, item);
    Condition same = condition;
    same.comparison = Comparison::equal;
    return present(condition, level, item) && !equal(same, level, item);
  }

 private:
  static bool contains(const std::vector<std::int64_t>& list, std::int64_t id) {
    return std::find(list.begin(), list.end(), id) != list.end();
  }
  bool hidden(const Item& item) const { return contains(scope_.pseudonymous, item.parents[1]); }

  /// The items of `target` that the item is, lies in, or holds.
  std::vector<const Item*> related(Level target, Level level, const Item& item) const {
    std::vector<const Item*> found;
    const auto t = static_cast<std::size_t>(target);
    const auto l = static_cast<std::size_t>(level);
    for (const Item& other : world_.of(target)) {
      const bool up = t <= l && item.parents.at(t) == other.id;
      const bool down = t > l && other.parents.at(l) == item.id;
      if (up || down) found.push_back(&other);
    }
    return found;
  }

  template <class Test>
  bool any(Level target, Level level, const Item& item, Test test) const {
    const auto items = related(target, level, item);
    return std::any_of(items.begin(), items.end(), [&](const Item* other) { return test(*other); });
  }

  /// Only words are shown of it.
  bool isInWords(Level level, const Item& item) const {
    return hidden(item) && level != Level::project && level != Level::subject;
  }

  bool nameFits(const Operand& wanted, Level level, const Item& item) const {
    const std::string name = shownName(level, item);
    return isInWords(level, item) ? fitsShown(wanted, name) : fits(wanted, name);
  }

  std::string shownName(Level level, const Item& item) const {
    if (!hidden(item) || level == Level::project) return item.name;
    if (level == Level::subject) return item.pseudonym;
    return masked(level, item, item.name);
  }

  std::string masked(Level level, const Item& item, const std::string& text) const {
    const auto subjects = related(Level::subject, level, item);
    std::string name = foldText(text);
    if (subjects.empty()) return name;
    const std::string secret = foldText(subjects.front()->name);
    for (std::size_t at = name.find(secret); at != std::string::npos;) {
      const std::string pseudonym = foldText(subjects.front()->pseudonym);
      name.replace(at, secret.size(), pseudonym);
      at = name.find(secret, at + pseudonym.size());
    }
    return name;
  }

  bool word(const Condition& condition, Level level, const Item& item) const {
    const bool wild = !condition.operand.quoted && condition.operand.text->find_first_of("*?") != std::string::npos;
    const auto test = [&](const std::string& text) {
      return wild ? fits(condition.operand, text) : holds(text, *condition.operand.text);
    };
    const bool path =
        level == Level::file && !hidden(item) && (!wild || condition.operand.text->find('/') != std::string::npos);
    const auto testName = [&](Level of, const Item& one) {
      if (isInWords(of, one)) return fitsShown(condition.operand, shownName(of, one), !wild);
      return test(shownName(of, one));
    };
    if (path ? test(item.path) : testName(level, item)) return true;
    if (level == Level::project && test(item.title)) return true;
    const auto named = [&](Level above) {
      return level > above && any(above, level, item, [&](const Item& other) { return testName(above, other); });
    };
    return named(Level::subject) || named(Level::study);
  }

  std::string dateOf(const Item& file) const {
    if (!file.date.empty()) return file.date;
    const auto studies = related(Level::study, Level::file, file);
    return studies.empty() ? "" : studies.front()->date;
  }

  template <class Test>
  bool dated(Level level, const Item& item, Test test) const {
    if (level == Level::file) return test(dateOf(item));
    return any(Level::study, level, item, [&](const Item& study) { return test(study.date); });
  }

  static bool dimFits(const Condition& condition, const Item& file) {
    if (file.dims[0] <= 0) return false;
    if (!condition.operand.axes) {
      const int count = file.dims[3] > 1 ? 4 : file.dims[2] > 1 ? 3 : file.dims[1] > 1 ? 2 : 1;
      return numberFits(condition, count);
    }
    const auto& axes = condition.operand.axes->axes;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] && *axes[i] != static_cast<double>(std::max<std::int64_t>(file.dims.at(i), 1))) return false;
    }
    return true;
  }

  static bool spacingFits(const Condition& condition, const Item& file) {
    if (file.spacing[0] <= 0) return false;
    constexpr double tolerance = 0.005;
    if (!condition.operand.axes) {
      return numberFits(condition, *std::max_element(file.spacing.begin(), file.spacing.end()), tolerance);
    }
    const auto& axes = condition.operand.axes->axes;
    for (std::size_t i = 0; i < std::min<std::size_t>(axes.size(), 3); ++i) {
      if (axes[i] && std::abs(*axes[i] - file.spacing.at(i)) > tolerance) return false;
    }
    return true;
  }

  bool tagged(const Condition& condition, Level level, const Item& item, bool anyTag) const {
    const auto test = [&](const Item& other) {
      return std::any_of(other.tags.begin(), other.tags.end(),
                         [&](const std::string& tag) { return anyTag || fits(condition.operand, tag); });
    };
    if (condition.level != Level::none) return any(condition.level, level, item, test);
    for (int i = 1; i <= static_cast<int>(level); ++i) {
      if (any(static_cast<Level>(i), level, item, test)) return true;
    }
    return false;
  }

  bool meta(const Condition& condition, Level level, const Item& item, bool anyValue) const {
    const auto test = [&](const Item& other) {
      const auto values = valuesOf(other, condition.key);
      return std::any_of(values.begin(), values.end(), [&](const nlohmann::json& value) {
        return anyValue || valueFits(condition, value, hidden(item));
      });
    };
    if (condition.level != Level::none) return any(condition.level, level, item, test);
    for (int i = static_cast<int>(level); i >= 1; --i) {
      const auto owners = related(static_cast<Level>(i), level, item);
      if (!owners.empty() && !valuesOf(*owners.front(), condition.key).empty()) return test(*owners.front());
    }
    return false;
  }

  bool present(const Condition& condition, Level level, const Item& item) const {
    const auto file = [&](auto test) { return any(Level::file, level, item, test); };
    switch (condition.field) {
      case SearchField::tag: return tagged(condition, level, item, true);
      case SearchField::meta: return meta(condition, level, item, true);
      case SearchField::date: return dated(level, item, [](const std::string& date) { return !date.empty(); });
      case SearchField::kind: return file([](const Item& f) { return !f.kind.empty(); });
      case SearchField::format: return file([](const Item& f) { return !f.format.empty(); });
      case SearchField::modality: return file([](const Item& f) { return !f.modality.empty(); });
      case SearchField::sequence: return file([](const Item& f) { return !f.sequence.empty(); });
      case SearchField::dim: return file([](const Item& f) { return f.dims[0] > 0; });
      case SearchField::spacing: return file([](const Item& f) { return f.spacing[0] > 0; });
      case SearchField::size:
      case SearchField::state: return file([](const Item&) { return true; });
      case SearchField::subject: return !related(Level::subject, level, item).empty();
      case SearchField::study: return !related(Level::study, level, item).empty();
      default: return true;
    }
  }

  bool equal(const Condition& condition, Level level, const Item& item) const {
    const Operand& wanted = condition.operand;
    const auto file = [&](auto test) { return any(Level::file, level, item, test); };
    const auto named = [&](Level target) {
      return any(target, level, item, [&](const Item& other) { return nameFits(wanted, target, other); });
    };
    switch (condition.field) {
      case SearchField::word: return word(condition, level, item);
      case SearchField::name: return nameFits(wanted, level, item);
      case SearchField::path: return !hidden(item) && file([&](const Item& f) { return fits(wanted, f.path); });
      case SearchField::project: return named(Level::project);
      case SearchField::subject: return named(Level::subject);
      case SearchField::study: return named(Level::study);
      case SearchField::tag: return tagged(condition, level, item, false);
      case SearchField::kind: return file([&](const Item& f) { return fits(wanted, f.kind); });
      case SearchField::format: return file([&](const Item& f) { return fits(wanted, f.format); });
      case SearchField::modality: return file([&](const Item& f) { return fits(wanted, f.modality); });
      case SearchField::sequence:
        return file([&](const Item& f) {
          return hidden(f) ? fitsShown(wanted, masked(Level::file, f, f.sequence)) : fits(wanted, f.sequence);
        });
      case SearchField::state:
        return file([&](const Item& f) {
          return std::array{"present", "vanished", "broken"}.at(static_cast<std::size_t>(f.state)) == *wanted.text;
        });
      case SearchField::date:
        return dated(level, item, [&](const std::string& date) { return dayFits(condition, date); });
      case SearchField::added: return dayFits(condition, dayOf(item.createdUs));
      case SearchField::changed: return dayFits(condition, dayOf(item.changedUs));
      case SearchField::size:
        return file([&](const Item& f) { return numberFits(condition, static_cast<double>(f.size)); });
      case SearchField::dim: return file([&](const Item& f) { return dimFits(condition, f); });
      case SearchField::spacing: return file([&](const Item& f) { return spacingFits(condition, f); });
      case SearchField::meta: return meta(condition, level, item, false);
    }
    return false;
  }

  const World& world_;
  const SearchScope& scope_;
};

}  // namespace

std::vector<std::int64_t> expectedIds(const World& world, const Query& query, Level level, const SearchScope& scope) {
  const Reference reference(world, scope);
  std::vector<std::int64_t> ids;
  for (const Item& item : world.of(level)) {
    if (reference.seen(item) && reference.holdsFor(query, level, item)) ids.push_back(item.id);
  }
  return ids;
}

}  // namespace nora::test
