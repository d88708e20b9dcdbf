// Building blocks of searches: conditions with their values, sort keys, and pages that go on by key. Private to the
// room.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "domain/filter.h"

namespace slipway::tracking {

/// SQL with `?` places and the values for them, in order. Text from outside only ever becomes a value.
struct Sql {
  std::string text;
  catalog::Values values;

  Sql& add(std::string_view more) {
    text += more;
    return *this;
  }
  Sql& add(std::string_view more, catalog::Value value) {
    text += more;
    values.push_back(std::move(value));
    return *this;
  }
  Sql& add(const Sql& other) {
    text += other.text;
    values.insert(values.end(), other.values.begin(), other.values.end());
    return *this;
  }
};

/// `expression` compared as text: = != LIKE ILIKE IN NOT IN IS [NOT] NULL, with a quoted value.
Result<Sql> compare_text(std::string_view expression, const FilterComparison& comparison);
/// `expression` compared as a number that is stored times `scale`: all but LIKE and IN.
Result<Sql> compare_number(std::string_view expression, const FilterComparison& comparison, double scale = 1);

/// What a table of pairs (`key`, `value`) has for `key`, compared as text. `owner` joins the table, called x, to what
/// is searched: "x.run = r.number". None at all is what IS NULL finds.
Result<Sql> compare_pair(std::string_view table, std::string_view owner, const std::string& key,
                         const FilterComparison& comparison);

/// "expression IN (?, …)": for a few numbers, a place each. None of none.
Sql one_of(std::string_view expression, std::span<const std::int64_t> numbers);
Sql one_of_texts(std::string_view expression, std::span<const std::string> texts);
/// The same for many numbers, which go as one value.
Sql among(std::string_view expression, std::span<const std::int64_t> numbers, bool is_postgres);
/// The same as rows of a FROM list, with `alias`.value.
Sql rows_of(std::string_view alias, std::span<const std::int64_t> numbers, bool is_postgres);

enum class KeyKind { integer, real, text };

/// One thing that rows are sorted by; never NULL.
struct SortKey {
  Sql expression;
  bool ascending = true;
  KeyKind kind = KeyKind::integer;
};

/// Sort keys of an expression that may be NULL: those rows come last, whatever the direction.
void add_nullable_key(std::vector<SortKey>& keys, const Sql& expression, bool ascending, KeyKind kind);

/// " ORDER BY …"
Sql order_by(const std::vector<SortKey>& keys);
/// The condition for rows that come after the one with these values.
Sql rows_after(const std::vector<SortKey>& keys, const catalog::Values& last);
/// Whether a row with the keys `a` comes before one with the keys `b`.
bool comes_before(const std::vector<SortKey>& keys, const catalog::Values& a, const catalog::Values& b);
/// ", key1, key2 …" for a SELECT list, and what a row holds there.
Sql select_keys(const std::vector<SortKey>& keys);
catalog::Values read_keys(const catalog::Row& row, int first_column, const std::vector<SortKey>& keys);

/// Where a page ended. `query` is a fingerprint: a token is only good for the query that it came from.
struct PageMark {
  std::string query;
  int phase = 0;
  catalog::Values last;
};
std::string render_page_token(const PageMark& mark);
/// invalid_argument for what render_page_token never wrote, and for the token of another query.
Result<PageMark> parse_page_token(std::string_view token, std::string_view query);
/// The values of the keys where the page before ended, as many as there are keys. The same errors.
Result<catalog::Values> parse_page_keys(std::string_view token, std::string_view query,
                                        const std::vector<SortKey>& keys);
/// A short fingerprint of whatever makes a query what it is.
std::string fingerprint(std::string_view text);

}  // namespace slipway::tracking
