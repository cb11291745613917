// SPDX-License-Identifier: GPL-3.0-or-later
// Crypto threads: values go in, values come back to the loop thread.
//
// A job owns everything it touches; `done` runs on the loop thread, unless its Ticket was dropped
// before: the session that asked may be gone. Each worker has an inbox of its own (no shared lock);
// the loop gives a job to the worker with the fewest outstanding.
//
// Answers of brief jobs that stood in line together come back in groups, a quarter of the line
// each: with one at a time, every signature would wake the loop and pay a sync of the spool alone.
// An answer is held back only while the next job in line is brief, too, and at most
// answer_held_us_max.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace sealgate {

class Loop;

class WorkerPool {
public:
    // One unit of work. run() is called on a worker, deliver() on the loop.
    class Job {
    public:
        virtual ~Job() = default;
        virtual void run() = 0;
        virtual void deliver() = 0;
        // Whether it takes at most some milliseconds: a signature, not a file.
        virtual bool brief() const { return false; }
    };

    // In microseconds: some fifteen RSA-2048 signatures, of a line of sixty.
    static constexpr std::uint64_t answer_held_us_max = 4000;
    enum class Length : std::uint8_t { brief, any };

    // Keeps the wish for an answer. Dropping it means: never call `done`. Loop thread.
    class Ticket {
    public:
        Ticket() = default;
        explicit Ticket(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
        Ticket(Ticket&&) = default;
        Ticket& operator=(Ticket&& other) noexcept {
            cancel();
            wanted_ = std::move(other.wanted_);
            return *this;
        }
        ~Ticket() { cancel(); }
        void cancel() {
            if (wanted_) *wanted_ = false;
            wanted_.reset();
        }

    private:
        std::shared_ptr<bool> wanted_;  // read and written on the loop thread only
    };

    WorkerPool(Loop& loop, unsigned threads);
    ~WorkerPool();  // finishes what was begun, drops the rest
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // `work()` on a worker gives a value; `done(value)` gets it on the loop. Both are moved.
    template <typename Work, typename Done>
    [[nodiscard]] Ticket submit(Work work, Done done, Length length = Length::any) {
        auto wanted = std::make_shared<bool>(true);
        submit(
            std::make_unique<Call<Work, Done>>(std::move(work), std::move(done), wanted, length));
        return Ticket(std::move(wanted));
    }
    void submit(std::unique_ptr<Job> job);

    unsigned threads() const;
    std::size_t outstanding() const;  // submitted and not yet delivered

private:
    template <typename Work, typename Done>
    class Call final : public Job {
    public:
        Call(Work work, Done done, std::shared_ptr<bool> wanted, Length length)
            : work_(std::move(work)),
              done_(std::move(done)),
              wanted_(std::move(wanted)),
              length_(length) {}
        bool brief() const override { return length_ == Length::brief; }
        void run() override { value_ = std::make_unique<Value>(work_()); }
        void deliver() override {
            if (*wanted_) done_(std::move(*value_));
        }

    private:
        using Value = decltype(std::declval<Work&>()());
        Work work_;
        Done done_;
        std::shared_ptr<bool> wanted_;
        Length length_;
        std::unique_ptr<Value> value_;
    };

    struct State;
    std::shared_ptr<State> state_;  // answers on their way hold it, too
};

}  // namespace sealgate
