// Runs one fuzz target over its corpus and over mutations of it, the same ones every time.
//
//   NAME_fuzz CORPUS_FOLDER [MUTATIONS [SEED]]
//
// It stands in for libFuzzer where that does not exist (GCC): no coverage, but a fast and repeatable check under
// sanitizers that every parser survives what once broke it and a few thousand relatives of that. An input that crashes,
// or takes longer than kInputSecondsMax, is written to crash-NAME in the current folder and the program ends with 1.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));
extern "C" void __sanitizer_print_stack_trace() __attribute__((weak));

namespace {

constexpr unsigned kInputSecondsMax = 10;
constexpr std::size_t kInputBytesMax = 1 << 20;

// What a dying process still needs: no allocation happens after a crash.
const std::string* current_input = nullptr;
char crash_file[256];

void keep_input() {
  if (current_input == nullptr) return;
  int file = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  if (write(file, current_input->data(), current_input->size()) < 0) _exit(1);
  close(file);
  current_input = nullptr;
}

void on_signal(int number) {
  const bool slow = number == SIGALRM;
  const char* sentence = slow ? "an input takes too long\n" : "an input crashed the parser, or did not come back as it went in\n";
  if (write(STDERR_FILENO, sentence, strlen(sentence)) < 0) _exit(1);
  keep_input();
  if (__sanitizer_print_stack_trace != nullptr) __sanitizer_print_stack_trace();
  _exit(1);
}

void run(const std::string& input) {
  current_input = &input;
  alarm(kInputSecondsMax);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  alarm(0);
  current_input = nullptr;
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs = {""};
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

/// A relative of a corpus entry: one to eight edits of the kinds that break parsers.
std::string mutate(const std::vector<std::string>& corpus, std::mt19937_64& random) {
  auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  static constexpr unsigned char kOddBytes[] = {0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{', '[', '\n', '-', '.', '/', '%'};
  std::string input = corpus[below(corpus.size())];
  for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
    std::size_t at = below(input.size() + 1);
    switch (below(7)) {
      case 0: input.insert(at, 1, static_cast<char>(kOddBytes[below(sizeof kOddBytes)])); break;
      case 1: if (at < input.size()) input[at] = static_cast<char>(random()); break;
      case 2: if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8))); break;
      case 3: input.erase(at, below(16)); break;
      case 4: input.resize(at); break;
      case 5: input.insert(at, input.substr(below(input.size() + 1), below(64))); break;
      case 6: {
        const std::string& other = corpus[below(corpus.size())];
        input.insert(at, other.substr(below(other.size() + 1), below(64)));
        break;
      }
    }
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS [SEED]]\n", argv[0]);
    return 2;
  }
  std::string name = std::filesystem::path(argv[0]).filename();
  std::snprintf(crash_file, sizeof crash_file, "crash-%s", name.c_str());
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_input);
  for (int signal : {SIGABRT, SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_signal);

  unsigned long mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5000;
  unsigned long seed = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1;
  std::vector<std::string> corpus = read_corpus(argv[1]);
  for (const std::string& input : corpus) run(input);
  std::mt19937_64 random(seed);
  for (unsigned long i = 0; i < mutations; ++i) run(mutate(corpus, random));
  std::printf("%s: %zu inputs of the corpus and %lu mutations of seed %lu\n", name.c_str(), corpus.size(), mutations, seed);
  return 0;
}
