// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hands, IRockPaperScissors} from "../interfaces/IRockPaperScissors.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title RockPaperScissors
/// @notice See `IRockPaperScissors`; the protocol is docs/protocol.md, section 4.
contract RockPaperScissors is IRockPaperScissors {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;
    uint256 private constant DECIDED = 1 << 255;

    /// @inheritdoc IRockPaperScissors
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun RockPaperScissors");

    /// @inheritdoc IRockPaperScissors
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc IRockPaperScissors
    function reveal(Hands calldata hands, bool bob, bytes32 secret) external {
        _reveal(hands, bob, secret);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        (Hands memory hands, bool bob, bytes32 secret) = abi.decode(evidence, (Hands, bool, bytes32));
        _reveal(hands, bob, secret);
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id];
        if (word & DECIDED != 0) return (true, int112(uint112(word)));
        if (word == 0 || block.timestamp <= _deadline(word)) return (false, 0);
        int112 forfeit = int112(uint112(word)); // a lock, at most 2**111 - 1
        return (true, _isBobs(word) ? forfeit : -forfeit);
    }

    /// @inheritdoc IRockPaperScissors
    function handsId(Hands calldata hands) external view returns (bytes32) {
        return _handsId(hands);
    }

    function _reveal(Hands memory hands, bool bob, bytes32 secret) private {
        bytes32 id = _handsId(hands);
        uint256 old = record[id];
        if (old & DECIDED != 0 || (old != 0 && _isBobs(old) == bob)) return;
        uint256 limit = old == 0 ? hands.validity : _deadline(old);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        bytes32 expected = bob ? hands.bobCommit : hands.aliceCommit;
        bytes32 hash = keccak256(abi.encode(bob, secret));
        if (hash != expected) revert WrongSecret(expected, hash);

        uint256 hand = uint8(uint256(secret)) % 3;
        uint256 deadline;
        if (old == 0) {
            _checkTerms(hands);
            deadline = block.timestamp + hands.window;
            record[id] =
                (bob ? 1 << 254 : 0) |
                (deadline << 220) |
                (hand << 112) |
                (bob ? hands.aliceLock : hands.bobLock);
        } else {
            deadline = limit;
            uint256 other = uint16(old >> 112);
            int112 shift = bob ? _shift(hands, other, hand) : _shift(hands, hand, other);
            record[id] = DECIDED | uint112(shift);
        }
        emit Revealed(id, bob, secret, uint40(deadline));
    }

    /// @dev Each hand beats the one below it, and rock beats scissors.
    function _shift(Hands memory hands, uint256 alice, uint256 bob) private pure returns (int112) {
        if (alice == bob) return 0;
        return (alice + 2) % 3 == bob ? -int112(hands.bobLock) : int112(hands.aliceLock);
    }

    /// @dev Terms that the word cannot hold are refused by the first reveal, so such a game is never done.
    function _checkTerms(Hands memory hands) private pure {
        if (hands.aliceLock > AMOUNT_LIMIT) revert AmountTooLarge(hands.aliceLock);
        if (hands.bobLock > AMOUNT_LIMIT) revert AmountTooLarge(hands.bobLock);
        uint256 finalTime = uint256(hands.validity) + hands.window;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
    }

    function _isBobs(uint256 word) private pure returns (bool) {
        return (word >> 254) & 1 == 1;
    }

    function _deadline(uint256 word) private pure returns (uint256) {
        return (word >> 220) & TIME_LIMIT;
    }

    function _handsId(Hands memory hands) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, hands));
    }
}
