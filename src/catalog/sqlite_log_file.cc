#include "catalog/sqlite_log_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

namespace slipway::catalog {
namespace {

using Offset = sqlite3_int64;

// The format of the log: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr int kLogHeaderBytes = 32;
constexpr int kFrameHeaderBytes = 24;
constexpr int kPageBytesMax = 65'536;
constexpr size_t kGatheredMax = 256 << 10;  // bytes, of a commit that has more pages
constexpr size_t kWriteMax = 120 << 10;     // bytes; SQLite's files take less than 128 KiB at once

/// Whether a frame is the last of its commit: then its header says how many pages the database has.
bool ends_commit(const char* header) {
  return std::any_of(header + 4, header + 8, [](char byte) { return byte != 0; });
}

struct Frames {
  std::string bytes;      // gathered
  Offset from = 0;        // where they go
  Offset end = -1;        // after the last frame that came whole; -1: not known
  Offset header_at = -1;  // of a frame whose page comes next, or -1
  bool is_last = false;   // of its commit
};

/// What SQLite holds of the open log; the real file comes behind it.
struct LogFile {
  sqlite3_file base;
  Frames* frames;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

LogFile& log_of(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }

int write_real(LogFile& log, const void* bytes, int size, Offset at) {
  return log.real()->pMethods->xWrite(log.real(), bytes, size, at);
}

int write_gathered(LogFile& log) {
  Frames& frames = *log.frames;
  int result = SQLITE_OK;
  for (size_t done = 0; done < frames.bytes.size() && result == SQLITE_OK; done += kWriteMax) {
    const size_t size = std::min(kWriteMax, frames.bytes.size() - done);
    result =
        write_real(log, frames.bytes.data() + done, static_cast<int>(size), frames.from + static_cast<Offset>(done));
  }
  frames.bytes.clear();
  if (result != SQLITE_OK) frames.end = -1;
  return result;
}

int write_page(LogFile& log, const void* bytes, int size, Offset at) {
  Frames& frames = *log.frames;
  frames.end = at + size;
  if (frames.bytes.empty()) return write_real(log, bytes, size, at);  // as its header was
  frames.bytes.append(static_cast<const char*>(bytes), static_cast<size_t>(size));
  return frames.is_last || frames.bytes.size() >= kGatheredMax ? write_gathered(log) : SQLITE_OK;
}

/// Only the header of a frame that is appended is gathered: SQLite may write an earlier one again, alone.
bool is_appended(const Frames& frames, Offset at) {
  return at == frames.end && (frames.bytes.empty() || at == frames.from + static_cast<Offset>(frames.bytes.size()));
}

int write(sqlite3_file* file, const void* bytes, int size, Offset at) {
  LogFile& log = log_of(file);
  Frames& frames = *log.frames;
  const Offset header_at = std::exchange(frames.header_at, -1);
  if (header_at >= 0 && at == header_at + kFrameHeaderBytes && size <= kPageBytesMax)
    return write_page(log, bytes, size, at);
  if (size == kFrameHeaderBytes) {
    frames.header_at = at;
    frames.is_last = ends_commit(static_cast<const char*>(bytes));
    if (is_appended(frames, at)) {
      if (frames.bytes.empty()) frames.from = at;
      frames.bytes.append(static_cast<const char*>(bytes), static_cast<size_t>(size));
      return SQLITE_OK;
    }
  }
  if (const int result = write_gathered(log); result != SQLITE_OK) return result;
  if (at == 0 && size == kLogHeaderBytes) frames.end = kLogHeaderBytes;  // the log begins anew
  return write_real(log, bytes, size, at);
}

/// Hands a call on to the real file, after what is gathered.
template <auto Method, typename... Args>
int after_gathered(sqlite3_file* file, Args... args) {
  LogFile& log = log_of(file);
  if (const int result = write_gathered(log); result != SQLITE_OK) return result;
  return (log.real()->pMethods->*Method)(log.real(), args...);
}

template <auto Method, typename... Args>
int hand_on(sqlite3_file* file, Args... args) {
  LogFile& log = log_of(file);
  return (log.real()->pMethods->*Method)(log.real(), args...);
}

/// What is still gathered then was never committed.
int close(sqlite3_file* file) {
  LogFile& log = log_of(file);
  delete std::exchange(log.frames, nullptr);
  return log.real()->pMethods->xClose(log.real());
}

using Methods = sqlite3_io_methods;

constexpr Methods kMethods = {
    .iVersion = 1,
    .xClose = close,
    .xRead = after_gathered<&Methods::xRead, void*, int, Offset>,
    .xWrite = write,
    .xTruncate = after_gathered<&Methods::xTruncate, Offset>,
    .xSync = after_gathered<&Methods::xSync, int>,
    .xFileSize = after_gathered<&Methods::xFileSize, Offset*>,
    .xLock = hand_on<&Methods::xLock, int>,
    .xUnlock = hand_on<&Methods::xUnlock, int>,
    .xCheckReservedLock = hand_on<&Methods::xCheckReservedLock, int*>,
    .xFileControl = hand_on<&Methods::xFileControl, int, void*>,
    .xSectorSize = hand_on<&Methods::xSectorSize>,
    .xDeviceCharacteristics = hand_on<&Methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
  if ((flags & SQLITE_OPEN_WAL) == 0) return usual->xOpen(usual, name, file, flags, flags_out);
  LogFile& log = log_of(file);
  log.base.pMethods = nullptr;
  const int result = usual->xOpen(usual, name, log.real(), flags, flags_out);
  if (result != SQLITE_OK) {
    if (log.real()->pMethods) log.real()->pMethods->xClose(log.real());
    return result;
  }
  log.frames = new Frames;
  log.frames->bytes.reserve(kGatheredMax + kFrameHeaderBytes + kPageBytesMax);
  log.base.pMethods = &kMethods;
  return SQLITE_OK;
}

}  // namespace

const char* gathering_vfs() {
  static const char* const name = [] {
    static sqlite3_vfs vfs = *sqlite3_vfs_find(nullptr);
    vfs.pNext = nullptr;
    vfs.zName = "slipway-gathering";
    vfs.szOsFile += static_cast<int>(sizeof(LogFile));
    vfs.xOpen = open;
    return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : nullptr;
  }();
  return name;
}

}  // namespace slipway::catalog
