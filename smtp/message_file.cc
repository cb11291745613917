// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/message_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace sealgate {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;  // as a socket gives at most

tl::unexpected<Refusal> refused_by_system(const std::string& path) {
    return refused(path + ": " + std::strerror(errno));
}

// Again after a signal.
template <typename Call>
ssize_t uninterrupted(Call call) {
    for (;;) {
        const ssize_t answer = call();
        if (answer >= 0 || errno != EINTR) return answer;
    }
}

Answer<Chunk> read_piece(int descriptor, const std::string& path) {
    ChunkBuilder builder(piece_bytes);
    std::uint8_t* const room = builder.reserve(piece_bytes);
    const ssize_t got = uninterrupted([&] { return ::read(descriptor, room, piece_bytes); });
    if (got < 0) return refused_by_system(path);
    if (got == 0) return Chunk();
    return builder.take().begin()->slice(0, static_cast<std::size_t>(got));
}

Answer<void> to_begin(int descriptor, const std::string& path) {
    if (::lseek(descriptor, 0, SEEK_SET) < 0) return refused_by_system(path);
    return {};
}

// False: errno says why.
bool write_whole(int descriptor, ByteSpan bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote =
            uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
        if (wrote < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return true;
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

// Whether it is a file, or may become one.
bool is_plain(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

// In `folder`; mkostemp() gives it mode 0600. `name`: what it is called.
OpenFile make_temporary(const std::string& folder, std::string& name) {
    name = folder + "/.sealgate-XXXXXX";
    return OpenFile(::mkostemp(name.data(), O_CLOEXEC));
}

}  // namespace

OpenFile::~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::string spill_folder_of(const std::string& path) {
    return is_plain(path) ? folder_of(path) : std::filesystem::temp_directory_path().string();
}

// --- the message ---------------------------------------------------------------------------------

Answer<MessageFile> MessageFile::open(const std::string& path) {
    OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file) return refused_by_system(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return refused_by_system(path);
    if (S_ISDIR(status.st_mode)) return refused(path + ": is a folder");
    return MessageFile(path, std::move(file));
}

Answer<Chunk> MessageFile::read() { return read_piece(file_.get(), path_); }
Answer<void> MessageFile::rewind() { return to_begin(file_.get(), path_); }

// --- aside ---------------------------------------------------------------------------------------

Answer<std::unique_ptr<SpillFile>> SpillFile::make(const std::string& folder) {
    std::string name;
    OpenFile file = make_temporary(folder, name);
    if (!file) return refused_by_system(folder);
    ::unlink(name.c_str());
    return std::unique_ptr<SpillFile>(new SpillFile(folder, std::move(file)));
}

Result<Flow> SpillFile::write(Chunk chunk) {
    if (write_whole(file_.get(), chunk.bytes())) return Flow::open;
    trouble_ = folder_ + ": " + std::strerror(errno);
    return temporary("what a message holds cannot be kept aside");
}

void SpillFile::clear() {
    if (::ftruncate(file_.get(), 0) == 0 && ::lseek(file_.get(), 0, SEEK_SET) == 0) return;
    trouble_ = folder_ + ": " + std::strerror(errno);
}

Answer<void> SpillFile::rewind() { return to_begin(file_.get(), folder_); }
Answer<Chunk> SpillFile::read() { return read_piece(file_.get(), folder_); }

// --- the output ----------------------------------------------------------------------------------

Answer<OutputFile> OutputFile::open(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        OpenFile file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
        if (!file) return refused_by_system(path);
        return OutputFile(path, "", std::move(file));
    }
    std::string name;
    OpenFile file = make_temporary(folder_of(path), name);
    if (!file) return refused_by_system(path);
    return OutputFile(path, std::move(name), std::move(file));
}

OutputFile::~OutputFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Answer<void> OutputFile::write(ByteSpan bytes) {
    if (!write_whole(file_.get(), bytes)) return refused_by_system(path_);
    return {};
}

Answer<void> OutputFile::commit() {
    if (temporary_.empty()) return {};
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return refused_by_system(path_);
    temporary_.clear();
    return {};
}

}  // namespace sealgate
