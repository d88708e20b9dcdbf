#include "domain/command_template.h"

#include <gtest/gtest.h>

#include "base/process.h"

namespace slipway {
namespace {

TEST(CommandTemplate, holes_are_filled_and_quoted) {
  EXPECT_EQ(*fill_template("python t.py --lr {lr} {inputs.a} {outputs.m}",
                           {{"lr", "0.01"}, {"inputs.a", "/in/a b"}, {"outputs.m", "it's"}}),
            "python t.py --lr '0.01' '/in/a b' 'it'\\''s'");
}

TEST(CommandTemplate, braces_of_the_shell_stay) {
  for (const char* command :
       {"echo ${HOME}", "{ echo a; }", "echo {1..3}", "echo {}", "awk '{ print $1 }'", "a{", "{a b}"}) {
    EXPECT_EQ(*fill_template(command, {}), command);
  }
  EXPECT_EQ(*fill_template("echo {{lr}}", {}), "echo {lr}");
}

TEST(CommandTemplate, an_unknown_hole_names_the_nearest) {
  const auto filled = fill_template("t {epoch}", {{"epochs", "2"}, {"lr", "1"}});
  ASSERT_FALSE(filled.ok());
  EXPECT_NE(filled.error().message.find("did you mean {epochs}?"), std::string::npos) << filled.error().message;
}

TEST(CommandTemplate, no_value_can_leave_its_word) {
  for (const std::string& value :
       {std::string("$(touch /tmp/x)"), std::string("'; echo hi; '"), std::string("a\nb"), std::string("`id`"),
        std::string("{lr}"), std::string(""), std::string("*"), std::string("\"\\")}) {
    const std::string command = *fill_template("printf %s {v}", {{"v", value}});
    ProcessSpec shell;
    shell.arguments = {"/bin/sh", "-c", command};
    const auto output = run_command(shell, std::chrono::seconds(10));
    ASSERT_TRUE(output.ok());
    EXPECT_EQ(output->out, value) << command;
  }
}

}  // namespace
}  // namespace slipway
