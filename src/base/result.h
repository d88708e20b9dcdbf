// Expected trouble is a value: Result<T> holds a T or an Error whose code the API turns into a status in one table.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace slipway {

enum class ErrorCode {
  invalid_argument,     // the caller's input is wrong; the message says what, where, and what was expected
  not_found,            // the named thing does not exist
  already_exists,       // the name is taken
  failed_precondition,  // the thing exists, but its state forbids this
  permission_denied,    // known caller without the right
  unauthenticated,      // no valid credential
  busy,                 // a named limit is reached; try again later
  too_large,            // a body, a name or a value is over its named limit
  unsupported,          // understood, and not offered
  cancelled,            // the caller went away or asked to stop
  timed_out,            // a deadline passed
  unavailable,          // a part we depend on (database, worker, disk) does not answer
  data_loss,            // stored bytes do not match their hash
  internal,             // ours; a bug or a broken machine
};

/// The stable snake_case name of a code, as it stands in API answers.
const char* name(ErrorCode code);

/// What went wrong, in a sentence for the person who will read it.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
};

/// A T, or the reason why there is none. Always looked at before use; value() of an error is a CHECK failure.
template <typename T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return require(), std::get<0>(state_); }
  const T& value() const& { return require(), std::get<0>(state_); }
  T&& value() && { return require(), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) && { return ok() ? std::get<0>(std::move(state_)) : std::move(other); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  void require() const;

  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const {}

  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

[[noreturn]] void die_of_unchecked_error(const Error& error);

template <typename T>
void Result<T>::require() const {
  if (!ok()) die_of_unchecked_error(std::get<1>(state_));
}

/// `base` with the message put into a larger sentence: context(error, "while reading lock.txt").
Error context(Error error, std::string_view where);

}  // namespace slipway

/// `auto x = TRY(f());` is the value of f(), or returns its error from the enclosing function. The numbered name lets
/// one TRY stand inside another's lambda without a shadowed variable.
#define TRY(expression) SLIPWAY_TRY_NUMBERED(expression, __COUNTER__)
#define SLIPWAY_TRY_NUMBERED(expression, number) SLIPWAY_TRY_PASTED(expression, number)
#define SLIPWAY_TRY_PASTED(expression, number) SLIPWAY_TRY_NAMED(expression, try_result_##number)
#define SLIPWAY_TRY_NAMED(expression, result)           \
  __extension__({                                       \
    auto result = (expression);                         \
    if (!result.ok()) return std::move(result).error(); \
    std::move(result).value();                          \
  })
