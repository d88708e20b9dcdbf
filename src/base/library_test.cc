#include "base/library.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace slipway {
namespace {

namespace fs = std::filesystem;

TEST(LibraryCandidates, are_looked_for_beside_the_program_and_then_in_the_system) {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(library_candidates(nullptr, "libx.so"),
            (std::vector<fs::path>{folder.parent_path() / "lib/slipway/libx.so", folder.parent_path() / "lib/libx.so",
                                   folder / "libx.so", "libx.so"}));
}

TEST(LibraryCandidates, what_the_variable_names_comes_first) {
  ::setenv("SLIPWAY_TEST_LIBRARY", "/opt/own.so", 1);
  EXPECT_EQ(library_candidates("SLIPWAY_TEST_LIBRARY", "libx.so").front(), "/opt/own.so");
  ::setenv("SLIPWAY_TEST_LIBRARY", "", 1);
  EXPECT_NE(library_candidates("SLIPWAY_TEST_LIBRARY", "libx.so").front(), "");
  ::unsetenv("SLIPWAY_TEST_LIBRARY");
}

}  // namespace
}  // namespace slipway
