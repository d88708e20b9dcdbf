// The front door of teams: members, their tokens and passwords, roles, projects, and the audit trail. Who may do what
// is asked here and enforced in api alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/guarded.h"
#include "base/result.h"
#include "base/thread.h"
#include "catalog/catalog.h"
#include "domain/audit.h"
#include "domain/credentials.h"
#include "domain/ids.h"
#include "teams/login_attempts.h"

namespace slipway::teams {

enum class Role { member, admin };
std::string_view name(Role role);

struct Member {
  MemberId id;
  std::string name;
  std::string display_name;
  Role role = Role::member;
  Time created_at;
};

/// A credential without its secret.
struct Token {
  TokenId id;
  MemberId member;
  std::string name;
  Time created_at;
  std::optional<Time> expires_at;
  std::optional<RunId> run;
};

/// Who a token speaks for.
struct Identity {
  Member member;
  std::optional<RunId> run;
};

struct Project {
  ProjectId id;
  std::string name;
  std::string description;
  Time created_at;
};

struct AuditEntry {
  AuditLine line;
  Time at;
  std::string member_name, project_name;  // as they are called now; empty when there is none
};

/// Which lines are meant; of what is empty, all.
struct AuditQuery {
  std::string person;   // a member's name or id
  std::string action;   // "delete run", or "delete" for all that begin with that word
  std::string subject;  // exactly
  std::string project;  // a name or id
  std::optional<Time> since, until;
  std::string before;  // the id of the last line of the page before
  size_t most = 100;
};

inline constexpr size_t kTokensMax = 100'000;
inline constexpr size_t kMemberNameBytesMax = 100;
inline constexpr size_t kPasswordBytesMin = 10;
inline constexpr size_t kPasswordsCheckedAtOnceMax = 4;  // each takes 64 MiB and a core for a moment
inline constexpr Duration kTokenRefreshInterval = std::chrono::seconds(2);

/// Thread-safe. Reading a credential never touches the database: all live tokens are kept in memory and read again when
/// they change here, and every kTokenRefreshInterval for changes by other servers.
class Teams : public TokenIssuer {
 public:
  /// `owner_name` is the operating-system user: the first admin, who needs no token on loopback.
  static Result<std::unique_ptr<Teams>> open(catalog::Database& database, const Clock& clock,
                                             std::string_view owner_name);
  ~Teams() override;

  const Member& owner() const { return owner_; }

  /// Who this secret speaks for; nullopt when nobody, or no longer. Safe on an event loop.
  std::optional<Identity> authenticate(std::string_view secret);
  /// A new token for a member who knows their password (Argon2id, RFC 9106). unauthenticated otherwise, in constant
  /// time; busy for a name with too many wrong ones (login_attempts.h), and while kPasswordsCheckedAtOnceMax others are
  /// being checked.
  Result<std::string> login(std::string_view member_name, std::string_view password);
  Result<void> set_password(const MemberId& member, std::string_view password);
  /// Whether an admin could sign in from elsewhere; until then the server listens on loopback only.
  Result<bool> an_admin_has_a_credential();

  Result<std::vector<Member>> members();
  Result<MemberId> find_member(std::string_view member_name);
  Result<Member> create_member(std::string_view member_name, Role role);

  /// The secret is shown once; only its SHA-256 is kept.
  struct NewToken {
    Token token;
    std::string secret;
  };
  Result<NewToken> create_token(const MemberId& member, std::string_view token_name, std::optional<Duration> lifetime,
                                std::optional<RunId> run = std::nullopt);
  Result<std::vector<Token>> tokens(const MemberId& member);
  Result<void> revoke_token(const MemberId& member, const TokenId& token);

  Result<std::string> issue_run_token(const RunId& run, const MemberId& member, Duration lifetime) override;
  Result<void> revoke_run_tokens(const RunId& run) override;

  Result<std::vector<Project>> projects();
  Result<Project> create_project(std::string_view project_name, std::string_view description);
  Result<Project> describe_project(std::string_view project_name, std::string_view description);
  /// Takes a project away and frees its name, in one transaction with what `empty` does to what it holds. not_found,
  /// invalid_argument for the first project; without `empty`, failed_precondition saying what it still holds.
  using Empty = std::function<Result<void>(catalog::Connection&, const ProjectId&)>;
  Result<void> remove_project(std::string_view project_name, const Empty& empty = {});
  /// The id of a project by its name, or by its id (which runs are told); safe on an event loop.
  std::optional<ProjectId> find_project(std::string_view project_name);

  /// Adds a line to the trail that nobody edits.
  Result<void> audit(const AuditLine& line);
  /// The same as a part of somebody's transaction.
  Result<void> audit(catalog::Connection& connection, const AuditLine& line);
  /// The newest first.
  Result<std::vector<AuditEntry>> audit_trail(const AuditQuery& query);
  std::string new_audit_id() const { return new_id_text(clock_); }

 private:
  struct Known {
    Identity identity;
    std::optional<Time> expires_at;
  };
  struct Snapshot {
    std::unordered_map<std::string, Known> tokens_by_hash;
    std::unordered_map<std::string, ProjectId> projects_by_name;
    std::unordered_set<std::string> project_ids;
    std::uint64_t number = 0;  // of reads begun; a higher one saw at least as much
  };

  Teams(catalog::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  Result<void> refresh();
  void start_refreshing();
  Result<bool> check_password(const std::string& encoded, std::string_view password);

  catalog::Database& database_;
  const Clock& clock_;
  Member owner_;
  Guarded<std::shared_ptr<const Snapshot>> snapshot_;
  std::condition_variable stop_changed_;
  std::atomic<std::uint64_t> reads_begun_{0};
  Guarded<bool> stopping_{false};
  Guarded<LoginAttempts> attempts_;
  std::atomic<size_t> passwords_checked_{0};  // right now
  Thread refresher_;  // `teams-refresh`; PostgreSQL only, where another server may revoke a token
};

}  // namespace slipway::teams
