// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../LibSignatures.sol";
import {Deal, IEscrow} from "../interfaces/IEscrow.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title Escrow
/// @notice See `IEscrow`; the protocol is docs/protocol.md, section 4.
contract Escrow is IEscrow {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;

    uint256 private constant LATE = 0;
    uint256 private constant AWARD = 1;
    uint256 private constant CONFLICT = 2;
    uint256 private constant AGREED = 3;

    bytes32 private constant AWARD_TYPEHASH = keccak256("Award(bytes32 deal,int112 shift)");

    /// @inheritdoc IEscrow
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun Escrow");

    /// @inheritdoc IEscrow
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc IEscrow
    function award(Deal calldata deal, int112 shift, bytes calldata signature) external {
        bytes32 id = _id(deal);
        uint256 old = record[id];
        bool second = old != 0 && _rank(old) == AWARD;
        if (_rank(old) > AWARD || (second && _shift(old) == shift)) return;
        uint256 deadline = _deadline(deal, old);
        _checkShift(deal, shift);
        _checkSigner(deal.arbiter, _digest(id, shift), signature);
        // Two that differ: whoever is mined first, the result is the same.
        if (second) _store(id, CONFLICT, 0, deadline);
        else _store(id, AWARD, shift, deadline);
    }

    /// @inheritdoc IEscrow
    function agree(
        Deal calldata deal,
        int112 shift,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external {
        bytes32 id = _id(deal);
        uint256 old = record[id];
        if (_rank(old) == AGREED) return;
        uint256 deadline = _deadline(deal, old);
        _checkShift(deal, shift);
        bytes32 digest = _digest(id, shift);
        _checkSigner(deal.alice, digest, signatureAlice);
        _checkSigner(deal.bob, digest, signatureBob);
        _store(id, AGREED, shift, deadline);
    }

    /// @inheritdoc IEscrow
    function late(Deal calldata deal) external {
        bytes32 id = _id(deal);
        uint256 old = record[id];
        // Without a late rule there is nothing to say.
        if (old != 0 || deal.lateShift == 0) return;
        uint256 deadline = _deadline(deal, old);
        if (block.timestamp <= deal.due) revert TooEarly(deal.due, block.timestamp);
        _checkShift(deal, deal.lateShift);
        _store(id, LATE, deal.lateShift, deadline);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        uint256 form = uint256(bytes32(evidence));
        if (form > 2) revert UnknownForm(form);
        bytes4 entry =
            form == 0
                ? this.award.selector
                : form == 1
                    ? this.agree.selector
                    : this.late.selector;
        // Nothing here depends on who calls, so evidence is a call to ourselves: decoded by one rule, at one place.
        (bool success, bytes memory answer) = address(this).call(bytes.concat(entry, evidence[32:]));
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id];
        if (word == 0 || block.timestamp <= _until(word)) return (false, 0);
        return (true, _shift(word));
    }

    /// @inheritdoc IEscrow
    function dealId(Deal calldata deal) external view returns (bytes32) {
        return _id(deal);
    }

    /// @dev Until when better evidence counts; refuses what is late, and terms that the word cannot hold, so that a deal
    /// by such terms is never done.
    function _deadline(Deal calldata deal, uint256 old) private view returns (uint256 deadline) {
        if (deal.aliceLock > AMOUNT_LIMIT) revert AmountTooLarge(deal.aliceLock);
        if (deal.bobLock > AMOUNT_LIMIT) revert AmountTooLarge(deal.bobLock);
        uint256 finalTime = uint256(deal.validity) + deal.challenge;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
        uint256 limit = old == 0 ? deal.validity : _until(old);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        return old == 0 ? block.timestamp + deal.challenge : limit;
    }

    function _store(bytes32 id, uint256 rank, int112 shift, uint256 deadline) private {
        record[id] = (rank << 254) | (deadline << 112) | uint112(shift);
        emit Decided(id, uint8(rank), shift, uint40(deadline));
    }

    function _checkShift(Deal calldata deal, int112 shift) private pure {
        int256 most = int256(uint256(deal.aliceLock));
        int256 least = -int256(uint256(deal.bobLock));
        if (shift > most || shift < least) revert ShiftTooLarge(shift);
    }

    function _checkSigner(address signer, bytes32 digest, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(digest, signature);
        if (!LibSignatures.isSigner(recovered, signer)) revert WrongSigner(signer, recovered);
    }

    function _digest(bytes32 id, int112 shift) private view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(AWARD_TYPEHASH, id, shift));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }

    function _rank(uint256 word) private pure returns (uint256) {
        return word >> 254;
    }

    function _until(uint256 word) private pure returns (uint256) {
        return (word >> 112) & TIME_LIMIT;
    }

    function _shift(uint256 word) private pure returns (int112) {
        return int112(uint112(word));
    }

    function _id(Deal calldata deal) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, deal));
    }
}
