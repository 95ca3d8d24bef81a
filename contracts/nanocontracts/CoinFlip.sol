// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flip, ICoinFlip} from "../interfaces/ICoinFlip.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title CoinFlip
/// @notice See `ICoinFlip`; the protocol is docs/protocol.md, section 4.
contract CoinFlip is ICoinFlip {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;
    uint256 private constant DECIDED = 1 << 255;

    /// @inheritdoc ICoinFlip
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun CoinFlip");

    /// @inheritdoc ICoinFlip
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc ICoinFlip
    function reveal(Flip calldata flip, bool bob, bytes32 secret) external {
        _reveal(flip, bob, secret);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        (Flip memory flip, bool bob, bytes32 secret) = abi.decode(evidence, (Flip, bool, bytes32));
        _reveal(flip, bob, secret);
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id];
        if (word & DECIDED != 0) return (true, int112(uint112(word)));
        if (word == 0 || block.timestamp <= _deadline(word)) return (false, 0);
        int112 forfeit = int112(uint112(word)); // a lock, at most 2**111 - 1
        return (true, _isBobs(word) ? forfeit : -forfeit);
    }

    /// @inheritdoc ICoinFlip
    function flipId(Flip calldata flip) external view returns (bytes32) {
        return _flipId(flip);
    }

    function _reveal(Flip memory flip, bool bob, bytes32 secret) private {
        bytes32 id = _flipId(flip);
        uint256 old = record[id];
        if (old & DECIDED != 0 || (old != 0 && _isBobs(old) == bob)) return;
        uint256 limit = old == 0 ? flip.validity : _deadline(old);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        bytes32 expected = bob ? flip.bobCommit : flip.aliceCommit;
        bytes32 hash = keccak256(abi.encode(bob, secret));
        if (hash != expected) revert WrongSecret(expected, hash);

        uint256 share = uint16(uint256(secret));
        uint256 deadline;
        if (old == 0) {
            _checkTerms(flip);
            deadline = block.timestamp + flip.window;
            record[id] =
                (bob ? 1 << 254 : 0) |
                (deadline << 220) |
                (share << 112) |
                (bob ? flip.aliceLock : flip.bobLock);
        } else {
            deadline = limit;
            bool aliceLoses = uint16(share + (old >> 112)) < flip.odds;
            int112 shift = aliceLoses ? int112(flip.aliceLock) : -int112(flip.bobLock);
            record[id] = DECIDED | uint112(shift);
        }
        emit Revealed(id, bob, secret, uint40(deadline));
    }

    /// @dev Terms that the word cannot hold are refused by the first reveal, so such a flip is never done.
    function _checkTerms(Flip memory flip) private pure {
        if (flip.aliceLock > AMOUNT_LIMIT) revert AmountTooLarge(flip.aliceLock);
        if (flip.bobLock > AMOUNT_LIMIT) revert AmountTooLarge(flip.bobLock);
        uint256 finalTime = uint256(flip.validity) + flip.window;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
    }

    function _isBobs(uint256 word) private pure returns (bool) {
        return (word >> 254) & 1 == 1;
    }

    function _deadline(uint256 word) private pure returns (uint256) {
        return (word >> 220) & TIME_LIMIT;
    }

    function _flipId(Flip memory flip) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, flip));
    }
}
