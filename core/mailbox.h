// SPDX-License-Identifier: GPL-3.0-or-later
// Hands values from any thread to one thread, in order, without a lock.
//
// Producers push onto an atomic list; the consumer takes everything at once and turns it round.
// It does not wake the consumer: push() says whether the box was empty, then someone must.
#pragma once

#include <atomic>
#include <utility>
#include <vector>

namespace sealgate {

template <typename T>
class Mailbox {
public:
    Mailbox() = default;
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() { take_all(); }

    // Any thread. True when the box was empty before: the consumer may be asleep.
    bool push(T value) {
        Node* below = head_.load(std::memory_order_relaxed);
        Node* node = new Node{std::move(value), below};
        while (!head_.compare_exchange_weak(below, node, std::memory_order_acq_rel,
                                            std::memory_order_relaxed)) {
            node->next = below;
        }
        return below == nullptr;  // not node->next: the consumer may own the node by now
    }

    // The consumer's thread: everything pushed so far, oldest first.
    std::vector<T> take_all() {
        Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
        Node* oldest = nullptr;
        while (newest) {
            Node* next = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = next;
        }
        std::vector<T> values;
        while (oldest) {
            values.push_back(std::move(oldest->value));
            delete std::exchange(oldest, oldest->next);
        }
        return values;
    }

    bool empty() const { return head_.load(std::memory_order_acquire) == nullptr; }

private:
    struct Node {
        T value;
        Node* next;
    };

    std::atomic<Node*> head_{nullptr};
};

}  // namespace sealgate
