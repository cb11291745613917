// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/certificate_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "crypto/certificate_text.h"
#include "crypto/pem.h"
#include "crypto/wolf.h"

namespace sealgate {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr const char* files[] = {"chain.pem", "key.pem", "csr.pem"};

tl::unexpected<Refusal> refused_by_system(const std::string& path) {
    return refused(path + ": " + std::strerror(errno));
}

// Made by root for a gateway that runs as somebody else: the owner of the data directory keeps it.
void give_to_owner_of(const std::string& directory, int file) {
    struct stat status {};
    if (geteuid() != 0 || stat(directory.c_str(), &status) != 0) return;
    // Without it the gateway says itself that it cannot read the file.
    (void)!fchown(file, status.st_uid, status.st_gid);
}

Answer<void> make_directory(const std::string& path, const std::string& owned_like, mode_t mode) {
    if (mkdir(path.c_str(), mode) != 0) {
        if (errno == EEXIST) return {};
        return refused_by_system(path);
    }
    const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return refused_by_system(path);
    give_to_owner_of(owned_like, directory);
    close(directory);
    return {};
}

Answer<void> sync_directory(const std::string& path) {
    const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return refused_by_system(path);
    const bool synced = fsync(directory) == 0;
    close(directory);
    if (!synced) return refused_by_system(path);
    return {};
}

Answer<void> write_file(const std::string& path, ByteSpan bytes, mode_t mode,
                        const std::string& owned_like) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) return refused_by_system(path);
    give_to_owner_of(owned_like, file);
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            auto answer = refused_by_system(path);
            close(file);
            return answer;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    const bool synced = fsync(file) == 0;
    if (close(file) != 0 || !synced) return refused_by_system(path);
    return {};
}

void remove_tree(const std::string& path) {
    for (const char* file : files) unlink((path + '/' + file).c_str());
    rmdir(path.c_str());
}

// Exchanges the directories in one step where the file system can; elsewhere the name is free for
// a moment between two renames.
Answer<void> put_in_place(const std::string& fresh, const std::string& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) {
        if (rename(fresh.c_str(), path.c_str()) != 0) return refused_by_system(path);
        return {};
    }
#ifdef RENAME_EXCHANGE
    if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
        remove_tree(fresh);
        return {};
    }
#endif
    const std::string old = fresh + ".old";
    if (rename(path.c_str(), old.c_str()) != 0) return refused_by_system(path);
    if (rename(fresh.c_str(), path.c_str()) != 0) {
        auto answer = refused_by_system(path);
        (void)rename(old.c_str(), path.c_str());
        return answer;
    }
    remove_tree(old);
    return {};
}

Bytes chain_to_pem(const CertificateBundle& bundle) {
    Bytes text;
    const auto add = [&text](const CertificatePtr& certificate) {
        const SecureBytes pem = write_pem("CERTIFICATE", certificate->der());
        text.insert(text.end(), pem.bytes().begin(), pem.bytes().end());
    };
    add(bundle.leaf);
    for (const CertificatePtr& issuer : bundle.chain) add(issuer);
    return text;
}

}  // namespace

bool is_certificate_name(std::string_view name) {
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= name_bytes_max && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_good);
}

CertificateStore::CertificateStore(const std::string& data_dir,
                                   std::optional<SecureBytes> passphrase)
    : directory_(data_dir + "/certificates"), passphrase_(std::move(passphrase)) {}

Answer<CertificateStore> CertificateStore::open(const std::string& data_dir,
                                                const std::string& passphrase_file) {
    if (passphrase_file.empty()) return CertificateStore(data_dir, std::nullopt);
    auto passphrase = read_passphrase_file(passphrase_file);
    if (!passphrase) return tl::unexpected(passphrase.error());
    if (passphrase->empty()) return refused(passphrase_file + ": the first line is empty");
    return CertificateStore(data_dir, *std::move(passphrase));
}

std::vector<std::string> CertificateStore::names() const {
    std::vector<std::string> names;
    DIR* directory = opendir(directory_.c_str());
    if (directory == nullptr) return names;
    while (const dirent* entry = readdir(directory)) {
        if (is_certificate_name(entry->d_name) && has(entry->d_name)) {
            names.emplace_back(entry->d_name);
        }
    }
    closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
}

std::string CertificateStore::chain_path(const std::string& name) const {
    return directory_ + '/' + name + "/chain.pem";
}

bool CertificateStore::has(const std::string& name) const {
    return is_certificate_name(name) && access(chain_path(name).c_str(), F_OK) == 0;
}

Answer<CertificateBundle> CertificateStore::read(const std::string& name) const {
    auto chain = read_small_file(chain_path(name));
    if (!chain) return tl::unexpected(chain.error());
    const std::string key_path = directory_ + '/' + name + "/key.pem";
    auto key = read_small_file(key_path);
    if (!key) return tl::unexpected(key.error());
    if (key->empty()) return refused(key_path + ": the file is empty");
    Passphrase passphrase;
    if (passphrase_) passphrase = as_text(passphrase_->bytes());
    auto bundle = read_bundle(chain->bytes(), key->bytes(), passphrase);
    if (bundle) return bundle;
    std::string why = directory_ + '/' + name + ": " + bundle.error().what;
    if (bundle.error().passphrase) why += " ([gateway] key-passphrase-file)";
    return refused(why, bundle.error().passphrase);
}

Answer<CertificateBundle> CertificateStore::read_public(const std::string& name) const {
    auto chain = read_small_file(chain_path(name));
    if (!chain) return tl::unexpected(chain.error());
    auto certificates = read_certificates(chain->bytes());
    if (!certificates) return refused(chain_path(name) + ": " + certificates.error().what);
    CertificateBundle bundle;
    bundle.leaf = certificates->front();
    build_chain(bundle, *certificates);
    return bundle;
}

std::optional<std::string> CertificateStore::read_request(const std::string& name) const {
    auto file = read_small_file(directory_ + '/' + name + "/csr.pem");
    if (!file) return std::nullopt;
    return std::string(as_text(file->bytes()));
}

Answer<void> CertificateStore::write(const std::string& name, const CertificateBundle& bundle,
                                     std::string_view request) const {
    if (!is_certificate_name(name)) {
        return refused("a name has letters, digits, '.', '_' and '-' and does not begin with '.'");
    }
    SecureBytes key;
    if (passphrase_) {
        auto encrypted = encrypt_private_key(bundle.pkcs8.bytes(), as_text(passphrase_->bytes()));
        if (!encrypted) return refused(encrypted.error().what);
        key = *std::move(encrypted);
    } else {
        key = write_pem("PRIVATE KEY", bundle.pkcs8.bytes());
    }
    const std::string data_dir = directory_.substr(0, directory_.rfind('/'));
    // At the first start of all the data directory is not there yet either.
    if (auto made = make_directory(data_dir, data_dir, 0750); !made) return made;
    if (auto made = make_directory(directory_, data_dir, 0700); !made) return made;
    std::array<std::uint8_t, 8> suffix;
    if (!fill_random(suffix.data(), suffix.size())) return refused("no random numbers");
    // A leading dot: no certificate is called so, and an aborted one is never read.
    const std::string fresh = directory_ + "/." + name + '.' + to_hexadecimal(suffix);
    if (auto made = make_directory(fresh, data_dir, 0700); !made) return made;

    Answer<void> done = write_file(fresh + "/chain.pem", chain_to_pem(bundle), 0644, data_dir);
    if (done) done = write_file(fresh + "/key.pem", key.bytes(), 0600, data_dir);
    if (done && !request.empty()) {
        done = write_file(fresh + "/csr.pem", as_bytes(request), 0644, data_dir);
    }
    if (done) done = sync_directory(fresh);
    if (done) done = put_in_place(fresh, directory_ + '/' + name);
    if (!done) {
        remove_tree(fresh);
        return done;
    }
    return sync_directory(directory_);
}

Answer<void> CertificateStore::remove(const std::string& name) const {
    if (!has(name)) return refused("there is no certificate " + name);
    const std::string path = directory_ + '/' + name;
    const std::string gone = directory_ + "/." + name + ".deleted";
    remove_tree(gone);
    if (rename(path.c_str(), gone.c_str()) != 0) return refused_by_system(path);
    remove_tree(gone);
    return sync_directory(directory_);
}

Reason usable_for_mail(const Certificate& certificate) {
    const Reason sign = certificate.may_sign();
    if (sign == Reason::ok || certificate.may_encrypt() == Reason::ok) return Reason::ok;
    return sign;
}

}  // namespace sealgate
