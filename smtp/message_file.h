// SPDX-License-Identifier: GPL-3.0-or-later
// Messages in files: read in pieces, kept aside in pieces, written whole or not at all.
//
// For the command line, which blocks; nothing here may run where mail is on its way. What goes
// wrong is told in a sentence with the file's name.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/chunk.h"
#include "core/stage.h"
#include "crypto/certificate_bundle.h"

namespace sealgate {

// A file descriptor that is closed.
class OpenFile {
public:
    explicit OpenFile(int descriptor = -1) : descriptor_(descriptor) {}
    OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    OpenFile& operator=(OpenFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~OpenFile();
    explicit operator bool() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

class MessageFile {
public:
    static Answer<MessageFile> open(const std::string& path);

    const std::string& path() const { return path_; }
    // The next piece, as it stands in the file; empty: there is no more.
    Answer<Chunk> read();
    // From the beginning again; no pipe can do that.
    Answer<void> rewind();

private:
    MessageFile(std::string path, OpenFile file) : path_(std::move(path)), file_(std::move(file)) {}
    std::string path_;
    OpenFile file_;
};

// What may be delivered, while nobody knows yet whether it will be: in a file without a name, so
// that nothing of it remains whatever happens.
class SpillFile final : public Sink {
public:
    // `folder`: where it lies; what it holds will be wanted there.
    static Answer<std::unique_ptr<SpillFile>> make(const std::string& folder);

    Result<Flow> write(Chunk chunk) override;
    Result<Flow> finish() override { return Flow::open; }
    void clear();
    // Why write() or clear() failed; empty: they did not.
    const std::string& trouble() const { return trouble_; }

    // Afterwards read() gives what was written.
    Answer<void> rewind();
    Answer<Chunk> read();

private:
    SpillFile(std::string folder, OpenFile file)
        : folder_(std::move(folder)), file_(std::move(file)) {}
    std::string folder_;
    OpenFile file_;
    std::string trouble_;
};

// A file that only its owner may read, and that is there when it is whole: under its name from
// commit() on. What is no plain file (a pipe, a symbolic link such as /dev/stdout) is written to at
// once.
class OutputFile {
public:
    static Answer<OutputFile> open(const std::string& path);
    OutputFile(OutputFile&& other) noexcept
        : path_(std::move(other.path_)),
          temporary_(std::exchange(other.temporary_, {})),
          file_(std::move(other.file_)) {}
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    Answer<void> write(ByteSpan bytes);
    Answer<void> commit();

private:
    OutputFile(std::string path, std::string temporary, OpenFile file)
        : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}
    std::string path_;
    std::string temporary_;  // its name until then; empty: it has its own already
    OpenFile file_;
};

// Where to keep aside what will be written to that path: beside it, or, where that is no plain
// file, where temporary files are.
std::string spill_folder_of(const std::string& path);

}  // namespace sealgate
