#include "serving/registry_models.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace slipway::serving {
namespace {

struct RegistryModelsTest : ::testing::Test {
  RegistryModelsTest() {
    catalog::DatabaseOptions options;
    options.url = "sqlite:" + (folder.path() / "slipway.db").string();
    database = catalog::Database::open(options, catalog::schema(), counters).value();
    store::StoreOptions store_options;
    store_options.folder = folder.path() / "store";
    store = store::Store::open(store_options, system_clock(), counters).value();
    registry = std::make_unique<registry::Registry>(*database, *store, system_clock());
    EXPECT_TRUE(registry->models().create(kDefaultProject, "digits", "", {}).ok());
    models = RegistryModels::open(*registry, folder.path() / "serving").value();
  }

  std::int64_t add_version(const std::map<std::string, std::string>& files, Json details = {}) {
    registry::NewVersion version;
    version.details = std::move(details);
    for (const auto& [path, bytes] : files) {
      const auto blob = store->put(bytes).value();
      version.files.push_back({path, blob.hash, blob.size, "", {}});
    }
    auto made = registry->models().create_version(kDefaultProject, "digits", version);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made->version;
  }

  TemporaryDirectory folder;
  Counters counters;
  std::unique_ptr<catalog::Database> database;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<RegistryModels> models;
};

TEST_F(RegistryModelsTest, an_alias_means_its_version_and_brings_the_files_beside_the_model) {
  Json details;
  details.set("labels", Json::Array{"zero", "one"}).set("preprocess", Json::parse(R"({"scale":1})").value());
  const std::int64_t version =
      add_version({{"model/model.onnx", "graph"}, {"model/weights.bin", "weights"}, {"README.md", "?"}}, details);
  ASSERT_TRUE(registry->models().set_alias(kDefaultProject, "digits", "production", version, "ada", "").ok());
  EXPECT_EQ(models->version(kDefaultProject, parse_reference("model:digits@production").value()).value(), version);
  EXPECT_EQ(models->version(kDefaultProject, parse_reference("model:digits@staging").value()).error().code,
            ErrorCode::not_found);
  for (int i = 0; i < 2; ++i) {
    const auto served = models->fetch(kDefaultProject, "digits", version);
    ASSERT_TRUE(served.ok()) << served.error().message;
    EXPECT_EQ(served->file.filename(), "model.onnx");
    EXPECT_EQ(read_file(served->file).value(), "graph");
    EXPECT_EQ(read_file(served->file.parent_path() / "weights.bin").value(), "weights");
    EXPECT_EQ(served->labels, (std::vector<std::string>{"zero", "one"}));
    EXPECT_EQ(served->preprocess["scale"].integer(), 1);
  }
}

TEST_F(RegistryModelsTest, a_version_without_an_onnx_file_says_what_it_has) {
  const std::int64_t version = add_version({{"model.pt", "torch"}});
  const auto served = models->fetch(kDefaultProject, "digits", version);
  ASSERT_FALSE(served.ok());
  EXPECT_EQ(served.error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(served.error().message, "version 1 of model 'digits' has no .onnx file; its files are: model.pt");
}

}  // namespace
}  // namespace slipway::serving
