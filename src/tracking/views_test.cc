// Saved views, on SQLite and on PostgreSQL.
#include "tracking/views.h"

#include "tracking/fixture.h"

namespace slipway::tracking {
namespace {

class ViewsTest : public TrackingTest {};
SLIPWAY_ON_BOTH_DATABASES(ViewsTest);

SavedView some(std::string page, std::string name, std::string query = "") {
  SavedView view;
  view.project = kDefaultProject;
  view.page = std::move(page);
  view.name = std::move(name);
  view.query = std::move(query);
  view.member = "ada";
  return view;
}

TEST_P(ViewsTest, views_are_listed_by_page_and_name) {
  Views views(*database_, system_clock());
  for (const char* name : {"b", "a"}) ASSERT_TRUE(views.create(some("runs", name)).ok());
  ASSERT_TRUE(views.create(some("compare", "z")).ok());
  const auto names = [&](const std::string& page) {
    std::string out;
    const auto found = views.list(kDefaultProject, page);
    for (const SavedView& view : *found) out += view.page + ":" + view.name + " ";
    return out;
  };
  EXPECT_EQ(names(""), "compare:z runs:a runs:b ");
  EXPECT_EQ(names("runs"), "runs:a runs:b ");
  EXPECT_EQ(names("models"), "");
}

TEST_P(ViewsTest, a_name_is_taken_once_on_a_page_also_by_renaming) {
  Views views(*database_, system_clock());
  ASSERT_TRUE(views.create(some("runs", "a")).ok());
  const auto other = views.create(some("runs", "b", "sort=x"));
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(views.create(some("runs", "a")).error().code, ErrorCode::already_exists);
  EXPECT_TRUE(views.create(some("compare", "a")).ok());
  EXPECT_EQ(views.change(kDefaultProject, other->id, {.name = "a"}).error().code, ErrorCode::already_exists);
  const auto changed = views.change(kDefaultProject, other->id, {.name = "b", .query = "sort=y"});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->query, "sort=y");
  EXPECT_EQ(views.get(kDefaultProject, other->id)->query, "sort=y");
}

TEST_P(ViewsTest, a_view_belongs_to_its_project) {
  Views views(*database_, system_clock());
  const auto view = views.create(some("runs", "a"));
  ASSERT_TRUE(view.ok());
  const ProjectId elsewhere("elsewhere");
  EXPECT_EQ(views.get(elsewhere, view->id).error().code, ErrorCode::not_found);
  EXPECT_EQ(views.change(elsewhere, view->id, {.name = "b"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(views.remove(elsewhere, view->id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(views.remove(kDefaultProject, view->id).ok());
  EXPECT_EQ(views.remove(kDefaultProject, view->id).error().code, ErrorCode::not_found);
}

TEST_P(ViewsTest, a_project_full_of_views_says_so) {
  Views views(*database_, system_clock());
  ASSERT_TRUE(database_
                  ->write(catalog::Durability::record,
                          [](catalog::Connection& connection) -> Result<void> {
                            for (std::int64_t i = 0; i < kViewsMax; ++i) {
                              const std::string name = std::to_string(i);
                              TRY(
                                  connection.run("INSERT INTO views (id, project_id, page, name, query, member, "
                                                 "created_at, updated_at) VALUES (?, ?, 'runs', ?, '', 'ada', 0, 0)",
                                                 {name, kDefaultProject.text, name}));
                            }
                            return {};
                          })
                  .ok());
  EXPECT_EQ(views.create(some("compare", "one more")).error().code, ErrorCode::failed_precondition);
  ASSERT_TRUE(views.remove(kDefaultProject, ViewId("7")).ok());
  EXPECT_TRUE(views.create(some("compare", "one more")).ok());
}

}  // namespace
}  // namespace slipway::tracking
