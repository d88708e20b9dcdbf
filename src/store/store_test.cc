#include "store/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "base/thread.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

/// A store in a folder of its own whose clock the test owns.
class StoreTest : public testing::Test {
 protected:
  std::unique_ptr<Store> open(std::uint64_t disk_free_bytes_min = 0) {
    return open_at(folder.path(), disk_free_bytes_min);
  }
  std::unique_ptr<Store> open_at(const fs::path& path, std::uint64_t disk_free_bytes_min = 0) {
    return Store::open({.folder = path, .disk_free_bytes_min = disk_free_bytes_min}, clock, counters).value();
  }

  fs::path file_of(const Hash& hash) const {
    const std::string hex = render(hash);
    return folder.path() / "blobs" / hex.substr(0, 2) / hex.substr(2);
  }

  size_t files_in_uploads() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "uploads")) {
      if (entry.is_regular_file() && entry.path().filename() != "lock") ++count;
    }
    return count;
  }

  TemporaryDirectory folder{"store-test"};
  FakeClock clock;
  Counters counters;
};

Result<bool> nobody(const Hash&) { return false; }

TEST_F(StoreTest, what_was_put_is_read_back_by_its_hash) {
  auto store = open();
  const BlobInfo info = store->put("hello").value();
  EXPECT_EQ(info.hash, hash_of("hello"));
  EXPECT_EQ(info.size, 5u);
  EXPECT_EQ(store->get(info.hash, 5).value(), "hello");
  EXPECT_TRUE(store->contains(info.hash).value());
  EXPECT_EQ(store->get(store->put("").value().hash, 10).value(), "");
}

TEST_F(StoreTest, a_reader_gives_any_part) {
  auto store = open();
  const auto reader = store->open_blob(store->put("0123456789").value().hash).value();
  EXPECT_EQ(reader->size(), 10u);
  EXPECT_EQ(reader->read(3, 4).value(), "3456");
  EXPECT_EQ(reader->read(8, 100).value(), "89");
  EXPECT_EQ(reader->read(10, 1).value(), "");
  EXPECT_EQ(read_file(*reader->local_file()).value(), "0123456789");
}

TEST_F(StoreTest, an_absent_blob_is_not_found_and_a_large_one_is_too_large) {
  auto store = open();
  EXPECT_EQ(store->open_blob(hash_of("x")).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->get(hash_of("x"), 9).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->lease(hash_of("x")).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->get(store->put("0123456789").value().hash, 9).error().code, ErrorCode::too_large);
}

TEST_F(StoreTest, a_blob_is_kept_read_only_and_once) {
  auto store = open();
  const BlobInfo first = store->put("same").value();
  const BlobInfo second = store->put("same").value();
  EXPECT_EQ(first.hash, second.hash);
  struct stat info {};
  ASSERT_EQ(::stat(file_of(first.hash).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0222, 0u);
  EXPECT_EQ(counters.counter("store_blobs_put_total", "").value(), 1u);
  EXPECT_EQ(files_in_uploads(), 0u);
}

TEST_F(StoreTest, a_batch_answers_in_order_and_knows_repeats) {
  auto store = open();
  store->put("b").value();
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(std::to_string(i % 250));
  texts.push_back("b");
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto infos = store->put_many(views).value();
  ASSERT_EQ(infos.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(infos[i].hash, hash_of(texts[i]));
    EXPECT_EQ(store->get(infos[i].hash).value(), texts[i]);
  }
  EXPECT_EQ(counters.counter("store_blobs_put_total", "").value(), 251u);
  EXPECT_EQ(files_in_uploads(), 0u);
}

TEST_F(StoreTest, a_batch_past_the_limit_is_too_large) {
  const std::vector<std::string_view> views(kPutManyBlobsMax + 1, "x");
  EXPECT_EQ(open()->put_many(views).error().code, ErrorCode::too_large);
}

TEST_F(StoreTest, an_upload_in_pieces_is_one_blob) {
  auto store = open();
  auto upload = store->begin_upload().value();
  const std::string piece(1 << 20, 'p');
  std::string whole;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(upload->write(piece).ok());
    whole += piece;
  }
  const BlobInfo info = upload->finish().value();
  EXPECT_EQ(info.hash, hash_of(whole));
  EXPECT_EQ(info.size, whole.size());
  EXPECT_EQ(store->get(info.hash).value(), whole);
}

TEST_F(StoreTest, an_upload_that_is_dropped_leaves_nothing) {
  auto store = open();
  {
    auto upload = store->begin_upload().value();
    ASSERT_TRUE(upload->write("half of it").ok());
    EXPECT_EQ(files_in_uploads(), 1u);
  }
  EXPECT_EQ(files_in_uploads(), 0u);
  EXPECT_EQ(counters.gauge("store_uploads_open", "").value(), 0);
}

TEST_F(StoreTest, a_local_file_is_taken_as_it_is) {
  auto store = open();
  const fs::path file = folder.path() / "model.onnx";
  const std::string bytes(3'000'000, 'm');
  std::ofstream(file) << bytes;
  const BlobInfo info = store->put_file(file).value();
  EXPECT_EQ(info.hash, hash_of(bytes));
  std::ofstream(file) << "changed";
  EXPECT_EQ(store->get(info.hash).value(), bytes);
  EXPECT_EQ(store->put_file(folder.path() / "absent").error().code, ErrorCode::not_found);
}

TEST_F(StoreTest, missing_names_what_must_still_be_sent_and_leases_the_rest) {
  auto store = open();
  const BlobInfo here = store->put("here").value();
  clock.advance(hours(23));
  const std::vector<Hash> asked = {here.hash, hash_of("away")};
  EXPECT_EQ(store->missing(asked).value(), std::vector<Hash>{hash_of("away")});
  clock.advance(hours(23));
  EXPECT_EQ(store->sweep(nobody, false).value().blobs_removed, 0u);
}

TEST_F(StoreTest, a_sweep_takes_what_nobody_refers_to_once_its_lease_is_over) {
  auto store = open();
  const BlobInfo named = store->put("named").value();
  const BlobInfo orphan = store->put("orphan").value();
  const auto is_referenced = [&](const Hash& hash) -> Result<bool> { return hash == named.hash; };
  EXPECT_EQ(store->sweep(is_referenced, false).value().blobs_kept, 2u);

  clock.advance(hours(25));
  const SweepReport would = store->sweep(is_referenced, true).value();
  EXPECT_EQ(would.blobs_removed, 1u);
  EXPECT_EQ(would.bytes_removed, 6u);
  EXPECT_TRUE(store->contains(orphan.hash).value());

  const SweepReport did = store->sweep(is_referenced, false).value();
  EXPECT_EQ(did.blobs_removed, 1u);
  EXPECT_EQ(did.blobs_kept, 1u);
  EXPECT_FALSE(store->contains(orphan.hash).value());
  EXPECT_TRUE(store->contains(named.hash).value());
}

TEST_F(StoreTest, a_put_of_the_same_bytes_renews_the_lease_even_while_a_sweep_runs) {
  auto store = open();
  store->put("again").value();
  clock.advance(hours(25));
  const auto put_meanwhile = [&](const Hash&) -> Result<bool> {
    store->put("again").value();
    return false;
  };
  EXPECT_EQ(store->sweep(put_meanwhile, false).value().blobs_removed, 0u);
  EXPECT_TRUE(store->contains(hash_of("again")).value());
}

TEST_F(StoreTest, a_sweep_that_cannot_ask_removes_nothing) {
  auto store = open();
  store->put("x").value();
  clock.advance(hours(25));
  const auto away = [](const Hash&) -> Result<bool> { return Error{ErrorCode::unavailable, "the database is away"}; };
  EXPECT_EQ(store->sweep(away, false).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(store->contains(hash_of("x")).value());
}

TEST_F(StoreTest, verify_names_the_damaged_blob_and_get_refuses_it) {
  auto store = open();
  store->put("sound").value();
  const Hash hash = store->put("to be damaged").value().hash;
  ::chmod(file_of(hash).c_str(), 0644);
  std::ofstream(file_of(hash)) << "to be dAmaged";
  const VerifyReport report = store->verify(nullptr).value();
  EXPECT_EQ(report.blobs, 2u);
  EXPECT_EQ(report.damaged, std::vector<Hash>{hash});
  EXPECT_EQ(store->get(hash).error().code, ErrorCode::data_loss);
}

TEST_F(StoreTest, a_blob_cut_short_is_healed_by_the_next_put_of_its_bytes) {
  auto store = open();
  const Hash hash = store->put("whole").value().hash;
  ::chmod(file_of(hash).c_str(), 0644);
  fs::resize_file(file_of(hash), 2);
  store->put("whole").value();
  EXPECT_EQ(store->get(hash).value(), "whole");
}

TEST_F(StoreTest, many_threads_may_put_the_same_bytes) {
  auto store = open();
  std::atomic<int> failures = 0;
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back("put-" + std::to_string(t), [&] {
        for (int i = 0; i < 40; ++i) {
          const std::string text = "blob " + std::to_string(i);
          const auto info = store->put(text);
          if (!info.ok() || store->get(info->hash).value() != text) ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(counters.counter("store_blobs_put_total", "").value(), 40u);
  EXPECT_EQ(files_in_uploads(), 0u);
}

TEST_F(StoreTest, a_sweep_beside_puts_never_takes_what_a_put_counts_on) {
  auto store = open();
  std::atomic<bool> done = false;
  std::atomic<int> lost = 0;
  Thread sweeper("sweeper", [&] {
    while (!done) {
      clock.advance(hours(25));
      (void)store->sweep(nobody, false).value();
    }
  });
  // Each round puts bytes that may be there from the round before. The clock only moves between sweeps, so after a put
  // the blob is safe until a later sweep has seen it expire; open it at once, as whoever names it would.
  for (int i = 0; i < 200; ++i) {
    const auto info = store->put("round " + std::to_string(i % 5));
    if (!info.ok()) ++lost;
  }
  done = true;
  sweeper.join();
  EXPECT_EQ(lost, 0);
}

TEST_F(StoreTest, a_nearly_full_disk_says_busy_and_still_reads) {
  open()->put("kept").value();
  auto store = open(UINT64_MAX);
  const auto refused = store->put("new");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  EXPECT_NE(refused.error().message.find("slipway gc"), std::string::npos);
  EXPECT_EQ(store->begin_upload().error().code, ErrorCode::busy);
  EXPECT_EQ(store->get(hash_of("kept")).value(), "kept");
  EXPECT_TRUE(store->put("kept").ok()) << "what is there needs no room";
}

TEST_F(StoreTest, a_full_disk_says_busy_and_leaves_nothing_half_done) {
  const fs::path mount_point = folder.path() / "small";
  fs::create_directory(mount_point);
  if (::mount("none", mount_point.c_str(), "tmpfs", 0, "size=4m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root (" << std::strerror(errno) << ")";
  }
  {
    auto store = open_at(mount_point / "store");
    EXPECT_TRUE(store->put("fits").ok());
    auto upload = store->begin_upload().value();
    const std::string piece(1 << 20, 'x');
    Result<void> written;
    for (int i = 0; i < 6 && written.ok(); ++i) written = upload->write(piece);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::busy);
    EXPECT_EQ(store->put(std::string(6 << 20, 'y')).error().code, ErrorCode::busy);
    upload.reset();
    EXPECT_TRUE(store->put(piece).ok()) << "the room of a dropped upload is free again";
    EXPECT_EQ(store->verify(nullptr).value().damaged.size(), 0u);
  }
  ::umount(mount_point.c_str());
}

TEST_F(StoreTest, uploads_of_a_killed_process_are_removed_at_open_and_by_a_sweep) {
  for (const bool by_sweep : {false, true}) {
    std::unique_ptr<Store> survivor = by_sweep ? open() : nullptr;
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = open();
      auto upload = store->begin_upload().value();
      (void)upload->write("half");
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(files_in_uploads(), 1u);
    if (by_sweep) {
      EXPECT_EQ(survivor->sweep(nobody, true).value().uploads_removed, 1u);
      EXPECT_EQ(survivor->sweep(nobody, false).value().uploads_removed, 1u);
    } else {
      survivor = open();
    }
    EXPECT_EQ(files_in_uploads(), 0u);
    EXPECT_EQ(survivor->verify(nullptr).value().blobs, 0u);
  }
}

TEST_F(StoreTest, a_sweep_leaves_uploads_of_living_owners_alone) {
  auto store = open();
  auto upload = store->begin_upload().value();
  ASSERT_TRUE(upload->write("slow").ok());
  clock.advance(hours(100));
  EXPECT_EQ(store->sweep(nobody, false).value().uploads_removed, 0u);
  EXPECT_EQ(store->get(upload->finish().value().hash).value(), "slow");
}

TEST_F(StoreTest, a_listing_names_every_blob_once_with_its_size) {
  auto store = open();
  std::map<Hash, std::uint64_t> wanted, listed;
  for (int i = 0; i < 300; ++i) {
    const auto info = store->put(std::string(static_cast<size_t>(i), 'x')).value();
    wanted[info.hash] = info.size;
  }
  const auto told = store->list([&](const BlobInfo& blob) -> Result<void> {
    EXPECT_TRUE(listed.emplace(blob.hash, blob.size).second);
    return {};
  });
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(listed, wanted);
  const auto stopped = store->list([](const BlobInfo&) -> Result<void> {
    return Error{ErrorCode::cancelled, "enough"};
  });
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_F(StoreTest, while_sweeps_are_paused_nothing_goes) {
  auto store = open();
  const auto blob = store->put("nobody names this").value();
  clock.advance(hours(25));
  auto first = store->pause_sweeps(), second = store->pause_sweeps();
  EXPECT_EQ(store->sweep(nobody, true).value().blobs_removed, 1u) << "counting removes nothing";
  first.reset();
  EXPECT_EQ(store->sweep(nobody, false).error().code, ErrorCode::busy);
  EXPECT_TRUE(store->contains(blob.hash).value());
  second.reset();
  EXPECT_EQ(store->sweep(nobody, false).value().blobs_removed, 1u);
}

TEST_F(StoreTest, a_pause_that_begins_within_a_sweep_ends_it) {
  auto store = open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->put("blob " + std::to_string(i)).ok());
  clock.advance(hours(25));
  std::unique_ptr<SweepPause> pause;
  int asked = 0;
  const auto swept = store->sweep(
      [&](const Hash&) -> Result<bool> {
        if (++asked == 10) pause = store->pause_sweeps();
        return false;
      },
      false);
  EXPECT_EQ(swept.error().code, ErrorCode::busy);
  EXPECT_EQ(store->verify(nullptr).value().blobs, 11u) << "nine went before the pause";
}

TEST_F(StoreTest, a_store_of_a_newer_format_is_refused_with_both_numbers) {
  open();
  std::ofstream(folder.path() / "format") << "slipway-store 2\n";
  const auto refused = Store::open({.folder = folder.path()}, clock, counters);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(refused.error().message.find("format 2"), std::string::npos);
}

}  // namespace
}  // namespace slipway::store
