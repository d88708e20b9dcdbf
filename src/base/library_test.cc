#include "base/library.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace slipway {
namespace {

namespace fs = std::filesystem;

TEST(LibraryCandidates, LookBesideTheProgramAndThenInTheSystem) {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(library_candidates(nullptr, "libx.so"),
            (std::vector<fs::path>{folder.parent_path() / "lib/slipway/libx.so", folder.parent_path() / "lib/libx.so",
                                   folder / "libx.so", "libx.so"}));
}

TEST(LibraryCandidates, WhatTheVariableNamesComesFirst) {
  ::setenv("SLIPWAY_TEST_LIBRARY", "/opt/own.so", 1);
  EXPECT_EQ(library_candidates("SLIPWAY_TEST_LIBRARY", "libx.so").front(), "/opt/own.so");
  ::setenv("SLIPWAY_TEST_LIBRARY", "", 1);
  EXPECT_NE(library_candidates("SLIPWAY_TEST_LIBRARY", "libx.so").front(), "");
  ::unsetenv("SLIPWAY_TEST_LIBRARY");
}

}  // namespace
}  // namespace slipway
