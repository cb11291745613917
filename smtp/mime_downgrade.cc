// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/mime_downgrade.h"

namespace sealgate {

std::unique_ptr<Sink> make_seven_bit_message_stage(Sink& below) {
    return std::make_unique<SevenBitStage>(
        below, SevenBitOptions{SevenBitOptions::Form::message, SevenBitOptions::Trust::nothing});
}

std::unique_ptr<SevenBitStage> make_seven_bit_entity_stage(Sink& below, bool eight_bit_declared) {
    const auto trust = eight_bit_declared ? SevenBitOptions::Trust::seven_bit_label
                                          : SevenBitOptions::Trust::seven_bit_or_no_label;
    return std::make_unique<SevenBitStage>(below,
                                           SevenBitOptions{SevenBitOptions::Form::entity, trust});
}

}  // namespace sealgate
