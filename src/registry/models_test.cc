#include "registry/models.h"

#include "registry/fixture.h"

namespace slipway::registry {
namespace {

class ModelsTest : public RegistryTest {
 protected:
  Models& models() { return registry->models(); }
  Version add_version(std::string_view model, NewVersion request = {}) {
    return models().create_version(project, model, request).value();
  }
  std::vector<std::string> found(const Search& search) {
    std::vector<std::string> names;
    Search page = search;
    do {
      const auto answer = models().search(project, page).value();
      for (const Model& model : answer.items) names.push_back(model.name);
      page.page_token = answer.next_page_token;
    } while (!page.page_token.empty());
    return names;
  }
  std::vector<std::string> found_versions(const Search& search) {
    std::vector<std::string> names;
    const auto page = models().search_versions(project, search).value();
    for (const Version& v : page.items) names.push_back(v.model + "/" + std::to_string(v.version));
    return names;
  }
};
SLIPWAY_ON_BOTH_DATABASES(ModelsTest);

TEST_P(ModelsTest, a_name_is_taken_once_and_free_after_removal) {
  const Model made = models().create(project, "digits", "reads digits", {{"team", "vision"}}).value();
  EXPECT_EQ(made.tags, (Tags{{"team", "vision"}}));
  EXPECT_EQ(models().create(project, "digits", "", {}).error().code, ErrorCode::already_exists);
  EXPECT_TRUE(models().create(ProjectId("other"), "digits", "", {}).ok());
  ASSERT_TRUE(models().remove(project, "digits").ok());
  EXPECT_EQ(models().get(project, "digits").error().code, ErrorCode::not_found);
  EXPECT_EQ(models().get(ProjectId("other"), "digits")->name, "digits");
  EXPECT_NE(models().create(project, "digits", "", {})->id, made.id);
  EXPECT_EQ(add_version("digits").version, 1) << "a new model counts from one";
}

TEST_P(ModelsTest, bad_names_are_refused) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string("a:b"), std::string("a\nb"),
                                  std::string(300, 'x'), std::string("\xff")}) {
    EXPECT_EQ(models().create(project, name, "", {}).error().code, ErrorCode::invalid_argument) << name;
  }
}

TEST_P(ModelsTest, renaming_keeps_everything_and_respects_other_names) {
  models().create(project, "old", "", {}).value();
  models().create(project, "taken", "", {}).value();
  add_version("old");
  EXPECT_EQ(models().rename(project, "old", "taken").error().code, ErrorCode::already_exists);
  EXPECT_EQ(models().rename(project, "old", "new").value().version_count, 1);
  EXPECT_EQ(models().version(project, "new", 1)->model, "new");
  EXPECT_EQ(models().get(project, "old").error().code, ErrorCode::not_found);
}

TEST_P(ModelsTest, versions_count_up_and_never_repeat_a_number) {
  models().create(project, "m", "", {}).value();
  EXPECT_EQ(add_version("m").version, 1);
  EXPECT_EQ(add_version("m").version, 2);
  ASSERT_TRUE(models().remove_version(project, "m", 2, "ada").ok());
  EXPECT_EQ(models().version(project, "m", 2).error().code, ErrorCode::not_found);
  EXPECT_EQ(add_version("m").version, 3);
  EXPECT_EQ(models().get(project, "m")->version_count, 2);
  EXPECT_EQ(models().create_version(project, "absent", {}).error().code, ErrorCode::not_found);
}

TEST_P(ModelsTest, a_version_keeps_its_files_whatever_happens_to_the_run) {
  models().create(project, "m", "", {}).value();
  const std::string run(32, 'a');
  const Owner owner{project, OwnerKind::run, run};
  ASSERT_TRUE(registry->artifacts()
                  .put(owner, std::vector<Artifact>{file("out/model.onnx", "weights"), file("out/sub/x", "1"),
                                                    file("other", "2")})
                  .ok());
  const Version made = add_version("m", {.source = "runs:/" + run + "/out", .run = RunId(run)});
  ASSERT_TRUE(registry->artifacts().remove(owner, "out").ok());
  const auto files = models().files(project, "m", made.version).value();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "model.onnx");
  EXPECT_EQ(files[0].hash, hash_of("weights"));
  EXPECT_EQ(files[1].path, "sub/x");
}

TEST_P(ModelsTest, a_signature_in_the_mlmodel_file_becomes_inputs_and_outputs) {
  models().create(project, "m", "", {}).value();
  const Owner logged{project, OwnerKind::logged_model, "m-" + std::string(32, '1')};
  const std::string mlmodel =
      "flavors: {onnx: {data: model.onnx}}\n"
      "signature:\n"
      "  inputs: '[{\"name\": \"image\", \"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float32\", \"shape\": [-1, 1, 28, 28]}}]'\n"
      "  outputs: '[{\"type\": \"double\", \"name\": \"p\"}]'\n"
      "  params: null\n";
  ASSERT_TRUE(registry->artifacts().put(logged, "MLmodel", blob(mlmodel)).ok());
  const Version made = add_version("m", {.source = "models:/" + logged.id, .logged_model = LoggedModelId(logged.id)});
  EXPECT_EQ(made.details["inputs"].render(), R"([{"name":"image","datatype":"FP32","shape":[-1,1,28,28]}])");
  EXPECT_EQ(made.details["outputs"].render(), R"([{"name":"p","datatype":"FP64","shape":[-1]}])");
}

TEST_P(ModelsTest, files_beside_the_model_tell_its_classes_and_its_preprocessing) {
  models().create(project, "m", "", {}).value();
  const auto file = [&](const char* path, const std::string& text) {
    return Artifact{path, blob(text).hash, text.size(), "", {}};
  };
  const Artifact onnx = file("model.onnx", "weights");
  const Version made = add_version(
      "m", {.files = {onnx, file("labels.txt", "cat\ndog \r\n\n"), file("preprocess.json", R"({"invert": true})")}});
  EXPECT_EQ(made.details["labels"].render(), R"(["cat","dog"])");
  EXPECT_EQ(made.details["preprocess"].render(), R"({"invert":true})");
  const Version said = add_version("m", {.details = Json::parse(R"({"labels":["a","b"]})").value(),
                                         .files = {onnx, file("labels.txt", "cat\ndog\n")}});
  EXPECT_EQ(said.details["labels"].render(), R"(["a","b"])");
  NewVersion broken_request;
  broken_request.files = {onnx, file("preprocess.json", "{")};
  const auto broken = models().create_version(project, "m", broken_request);
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("preprocess.json"), std::string::npos);
}

TEST_P(ModelsTest, updating_changes_only_what_is_named) {
  models().create(project, "m", "", {}).value();
  add_version("m", {.description = "first", .details = Json::parse(R"({"labels":["a"],"inputs":[]})").value()});
  const Version changed =
      models()
          .update_version(project, "m", 1, {.details = Json::parse(R"({"labels":["b"],"inputs":null})").value()})
          .value();
  EXPECT_EQ(changed.description, "first");
  EXPECT_EQ(changed.details.render(), R"({"labels":["b"]})");
  EXPECT_EQ(
      models().update_version(project, "m", 1, {.description = "second", .status = VersionStatus::failed})->status,
      VersionStatus::failed);
}

TEST_P(ModelsTest, every_move_of_an_alias_is_kept_with_who_and_why) {
  models().create(project, "m", "", {}).value();
  add_version("m");
  add_version("m");
  ASSERT_TRUE(models().set_alias(project, "m", "production", 1, "ada", "first").ok());
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(models().set_alias(project, "m", "production", 1, "ada", "again").ok());
  ASSERT_TRUE(models().set_alias(project, "m", "production", 2, "bob", "better").ok());
  EXPECT_EQ(models().version_of_alias(project, "m", "production")->version, 2);
  EXPECT_EQ(models().get(project, "m")->aliases, (std::map<std::string, std::int64_t>{{"production", 2}}));
  ASSERT_TRUE(models().remove_version(project, "m", 2, "eve").ok());
  ASSERT_TRUE(models().remove_alias(project, "m", "production", "eve", "").ok()) << "an absent alias is no error";

  auto page = models().history(project, "m", "production", 2, "").value();
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].member, "eve");
  EXPECT_EQ(page.items[0].to_version, std::nullopt);
  EXPECT_EQ(page.items[1].from_version, 1);
  EXPECT_EQ(page.items[1].to_version, 2);
  EXPECT_EQ(page.items[1].reason, "better");
  page = models().history(project, "m", "", 2, page.next_page_token).value();
  ASSERT_EQ(page.items.size(), 1u);
  EXPECT_EQ(page.items[0].from_version, std::nullopt);
  EXPECT_EQ(page.next_page_token, "");
}

TEST_P(ModelsTest, aliases_that_say_a_number_are_reserved) {
  models().create(project, "m", "", {}).value();
  add_version("m");
  for (const char* alias : {"latest", "Latest", "v1", "V12", "", "a b", "a/b"}) {
    EXPECT_EQ(models().set_alias(project, "m", alias, 1, "", "").error().code, ErrorCode::invalid_argument) << alias;
  }
  EXPECT_TRUE(models().set_alias(project, "m", "v1x", 1, "", "").ok());
  EXPECT_EQ(models().set_alias(project, "m", "a", 9, "", "").error().code, ErrorCode::not_found);
}

TEST_P(ModelsTest, a_reference_is_resolved_to_its_version) {
  models().create(project, "m", "", {}).value();
  add_version("m");
  add_version("m");
  ASSERT_TRUE(models().set_alias(project, "m", "champion", 1, "", "").ok());
  EXPECT_EQ(models().resolve(project, parse_reference("model:m@champion").value())->version, 1);
  EXPECT_EQ(models().resolve(project, parse_reference("model:m/2").value())->version, 2);
  EXPECT_EQ(models().resolve(project, parse_reference("model:m@latest").value())->version, 2);
  EXPECT_EQ(models().resolve(project, parse_reference("model:m@nope").value()).error().code, ErrorCode::not_found);
  EXPECT_EQ(models().resolve(project, parse_reference("dataset:m").value()).error().code, ErrorCode::invalid_argument);
}

TEST_P(ModelsTest, stages_work_as_mlflow_says) {
  models().create(project, "m", "", {}).value();
  for (int i = 0; i < 3; ++i) add_version("m");
  EXPECT_EQ(models().transition(project, "m", 1, "production", false)->stage, "Production");
  EXPECT_EQ(models().transition(project, "m", 2, "Production", true)->stage, "Production");
  EXPECT_EQ(models().version(project, "m", 1)->stage, "Archived");
  EXPECT_EQ(models().transition(project, "m", 1, "Prod", false).error().code, ErrorCode::invalid_argument);
  const auto latest = models().latest_versions(project, "m", {}).value();
  ASSERT_EQ(latest.size(), 3u);  // None, Production, Archived
  EXPECT_EQ(latest[0].version, 3);
  EXPECT_EQ(models().latest_versions(project, "m", {"staging"})->size(), 0u);
}

TEST_P(ModelsTest, search_filters_orders_and_pages) {
  for (const char* name : {"beta", "alpha", "Alps", "gamma"}) {
    models().create(project, name, "", {{"kind", name[0] == 'a' ? "one" : "two"}}).value();
    clock.advance(std::chrono::seconds(1));
  }
  models().create(project, "prompt", "", {{"mlflow.prompt.is_prompt", "true"}}).value();
  EXPECT_EQ(found({}), (std::vector<std::string>{"Alps", "alpha", "beta", "gamma"}));
  EXPECT_EQ(found({.page_size = 1}), (std::vector<std::string>{"Alps", "alpha", "beta", "gamma"}));
  EXPECT_EQ(found({.filter = "name LIKE 'al%'"}), std::vector<std::string>{"alpha"});
  EXPECT_EQ(found({.filter = "name ILIKE 'AL%'"}), (std::vector<std::string>{"Alps", "alpha"}));
  EXPECT_EQ(found({.filter = "tags.kind != 'two' AND name = 'alpha'"}), std::vector<std::string>{"alpha"});
  EXPECT_EQ(found({.filter = "tags.`mlflow.prompt.is_prompt` = 'true'"}), std::vector<std::string>{"prompt"});
  EXPECT_EQ(found({.filter = "tags.`mlflow.prompt.is_prompt` != 'true'"}), found({}));
  EXPECT_EQ(found({.filter = "name LIKE 'be%' AND tag.`mlflow.prompt.is_prompt` != 'true'"}),
            std::vector<std::string>{"beta"});
  EXPECT_EQ(found({.order_by = {"last_updated_timestamp DESC"}}),
            (std::vector<std::string>{"gamma", "Alps", "alpha", "beta"}));
  for (const Search& bad : std::vector<Search>{{.filter = "nonsense = '1'"},
                                               {.filter = "name > 3"},
                                               {.filter = "metrics.x > 1"},
                                               {.order_by = {"color"}},
                                               {.order_by = {"name", "name DESC"}},
                                               {.page_size = 0},
                                               {.page_token = "garbage"}}) {
    EXPECT_EQ(models().search(project, bad).error().code, ErrorCode::invalid_argument) << bad.filter;
  }
}

TEST_P(ModelsTest, versions_are_searched_by_model_run_and_tags) {
  models().create(project, "a", "", {}).value();
  models().create(project, "b", "", {}).value();
  add_version("a", {.run = RunId("r1")});
  add_version("a", {.run = RunId("r2"), .tags = {{"good", "yes"}}});
  add_version("b", {.source = "s3://elsewhere", .run = RunId("r2")});
  EXPECT_EQ(found_versions({}), (std::vector<std::string>{"a/2", "a/1", "b/1"}));
  EXPECT_EQ(found_versions({.filter = "name = 'a'"}), (std::vector<std::string>{"a/2", "a/1"}));
  EXPECT_EQ(found_versions({.filter = "run_id IN ('r2', 'r3')"}), (std::vector<std::string>{"a/2", "b/1"}));
  EXPECT_EQ(found_versions({.filter = "version_number > 1"}), std::vector<std::string>{"a/2"});
  EXPECT_EQ(found_versions({.filter = "tags.good = 'yes'"}), std::vector<std::string>{"a/2"});
  EXPECT_EQ(found_versions({.filter = "source_path LIKE 's3%'"}), std::vector<std::string>{"b/1"});
  EXPECT_EQ(found_versions({.order_by = {"version_number ASC", "name DESC"}}),
            (std::vector<std::string>{"b/1", "a/1", "a/2"}));
}

TEST_P(ModelsTest, a_change_is_told_to_whoever_listens) {
  models().create(project, "m", "", {}).value();
  add_version("m");
  ASSERT_EQ(events.events.size(), 2u);
  EXPECT_EQ(events.events[1].kind, EventKind::model_changed);
  EXPECT_EQ(events.events[1].subject, "m");
}

TEST(Source, every_form_that_is_ours_is_located) {
  const std::string run(32, 'a'), logged = "m-" + std::string(32, 'b');
  EXPECT_EQ(locate_source("runs:/" + run + "/model"), (SourceLocation{OwnerKind::run, run, "model"}));
  EXPECT_EQ(locate_source("models:/" + logged), (SourceLocation{OwnerKind::logged_model, logged, ""}));
  EXPECT_EQ(locate_source("mlflow-artifacts:/0/" + run + "/artifacts/a/b"),
            (SourceLocation{OwnerKind::run, run, "a/b"}));
  EXPECT_EQ(locate_source("mlflow-artifacts://host:5000/0/" + run + "/artifacts"),
            (SourceLocation{OwnerKind::run, run, ""}));
  EXPECT_EQ(locate_source("mlflow-artifacts:/7/models/" + logged + "/artifacts"),
            (SourceLocation{OwnerKind::logged_model, logged, ""}));
  for (const char* other : {"", "s3://bucket/x", "models:/name/3", "mlflow-artifacts:/0", "runs:/", "runs:/../x",
                            "mlflow-artifacts:/0/r/artifacts/../x"}) {
    EXPECT_EQ(locate_source(other), std::nullopt) << other;
  }
}

TEST(Mlmodel, a_file_without_a_signature_says_nothing) {
  EXPECT_TRUE(details_of_mlmodel("flavors: {}").is_null());
  EXPECT_TRUE(details_of_mlmodel(": [").is_null());
  EXPECT_TRUE(details_of_mlmodel("signature: {inputs: 'not json'}").is_null());
}

}  // namespace
}  // namespace slipway::registry
