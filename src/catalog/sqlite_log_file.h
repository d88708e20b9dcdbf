// SQLite's write-ahead log, written by one system call per commit that is not large.
//
// SQLite appends each page of a commit by two calls, its frame's header and the page, and each of them takes the file's
// lock and touches pages of the system's cache that its neighbours touch again. What it appends is gathered here until
// the frame that ends the commit, and goes out whole. Nobody misses it meanwhile: readers look at frames only after the
// commit has published them, and whatever else SQLite does with the file (it reads back what outgrew its memory, or
// writes such a frame again) comes after what is gathered. What a write call returns speaks of all that went out with
// it, and the last of a commit's is the one before the commit counts.
#pragma once

namespace slipway::catalog {

/// The name of SQLite's usual way to files (a VFS) with this log; nullptr, which means the usual one, when SQLite
/// refuses it. For connections that write.
const char* gathering_vfs();

}  // namespace slipway::catalog
