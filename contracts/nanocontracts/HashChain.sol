// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../LibSignatures.sol";
import {IHashChain, Stream} from "../interfaces/IHashChain.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title HashChain
/// @notice See `IHashChain`; the protocol is docs/protocol.md, section 4.
contract HashChain is IHashChain {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;

    bytes32 private constant CHAIN_TYPEHASH = keccak256("Chain(bytes32 stream,uint112 base,bytes32 root)");

    /// @inheritdoc IHashChain
    uint256 public constant MOST_TICKS = 1024;

    /// @inheritdoc IHashChain
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun HashChain");

    /// @inheritdoc IHashChain
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc IHashChain
    function submitTicks(
        Stream calldata stream,
        uint112 base,
        bytes32 root,
        uint256 ticks,
        bytes32 value,
        bytes calldata signature
    ) external {
        bytes32 id = _id(stream);
        uint256 old = record[id];
        if (ticks > MOST_TICKS) revert TooManyTicks(ticks);
        uint256 total = uint256(base) + ticks * stream.tick;
        if (total > stream.lock) total = stream.lock;
        if (total <= _total(old)) return;
        uint256 deadline = _deadline(stream, old);
        bytes32 hash = _hashed(id, value, ticks);
        if (hash != root) revert WrongRoot(root, hash);
        _checkSigner(stream.payer, _digest(id, base, root), signature);

        record[id] = (uint256(stream.bobPays ? 1 : 0) << 145) | (deadline << 111) | total;
        emit TicksSubmitted(id, uint112(total), uint40(deadline));
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        // Nothing here depends on who calls, so evidence is a call to ourselves: decoded by one rule, at one place.
        (bool success, bytes memory answer) = address(this).call(bytes.concat(this.submitTicks.selector, evidence));
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id];
        if (word == 0 || block.timestamp <= _until(word)) return (false, 0);
        int112 total = int112(uint112(_total(word))); // at most 2**111 - 1
        return (true, word >> 145 == 1 ? -total : total);
    }

    /// @inheritdoc IHashChain
    function streamId(Stream calldata stream) external view returns (bytes32) {
        return _id(stream);
    }

    /// @dev Until when more may be shown; refuses what is late, and terms that the word cannot hold, so that a stream by
    /// such terms is never done.
    function _deadline(Stream calldata stream, uint256 old) private view returns (uint256 deadline) {
        if (stream.lock > AMOUNT_LIMIT) revert AmountTooLarge(stream.lock);
        uint256 finalTime = uint256(stream.validity) + stream.challenge;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
        uint256 limit = old == 0 ? stream.validity : _until(old);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        return old == 0 ? block.timestamp + stream.challenge : limit;
    }

    /// @dev Assembly replaces `value = keccak256(abi.encode(id, value))`, which takes new memory for every hash.
    function _hashed(bytes32 id, bytes32 value, uint256 times) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, id)
            mstore(32, value)
            for {
                let i := 0
            } lt(i, times) {
                i := add(i, 1)
            } {
                mstore(32, keccak256(0, 64))
            }
            hash := mload(32)
        }
    }

    function _checkSigner(address signer, bytes32 digest, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(digest, signature);
        if (!LibSignatures.isSigner(recovered, signer)) revert WrongSigner(signer, recovered);
    }

    function _digest(bytes32 id, uint112 base, bytes32 root) private view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(CHAIN_TYPEHASH, id, base, root));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }

    function _until(uint256 word) private pure returns (uint256) {
        return (word >> 111) & TIME_LIMIT;
    }

    function _total(uint256 word) private pure returns (uint256) {
        return word & AMOUNT_LIMIT;
    }

    function _id(Stream calldata stream) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, stream));
    }
}
