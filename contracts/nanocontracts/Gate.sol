// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../LibSignatures.sol";
import {IGate, Path} from "../interfaces/IGate.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title Gate
/// @notice See `IGate`; the protocol is docs/protocol.md, section 4.
contract Gate is IGate {
    struct Record {
        uint256 word;
        bytes32 instance;
    }

    uint256 private constant TIME_LIMIT = (1 << 34) - 1;
    uint256 private constant OPENED = 1 << 255;
    uint256 private constant FIXED = 1 << 254;

    bytes32 private constant OPENING_TYPEHASH = keccak256("Opening(bytes32 path)");
    bytes32 private constant FINAL_TYPEHASH = keccak256("Final(bytes32 path,int112 shift)");

    /// @inheritdoc IGate
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun Gate");

    /// @inheritdoc IGate
    mapping(bytes32 id => Record) public record;

    /// @inheritdoc IGate
    function open(Path calldata path, bytes[] calldata signatures) external {
        bytes32 id = _id(path);
        if (record[id].word != 0) return;
        _checkEnd(path.end);
        _checkSigners(path.parties, keccak256(abi.encode(OPENING_TYPEHASH, id)), signatures);
        record[id] = Record(OPENED | (uint256(path.end) << 220) | uint160(path.app), path.instance);
        emit PathOpened(id, path.app, path.instance, path.end);
    }

    /// @inheritdoc IGate
    function fix(Path calldata path, int112 shift, bytes[] calldata signatures) external {
        bytes32 id = _id(path);
        if (record[id].word & FIXED != 0) return;
        _checkEnd(path.end);
        _checkSigners(path.parties, keccak256(abi.encode(FINAL_TYPEHASH, id, shift)), signatures);
        record[id].word = FIXED | (uint256(path.end) << 220) | uint112(shift);
        emit PathFixed(id, shift);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        uint256 form = uint256(bytes32(evidence));
        if (form > 1) revert UnknownForm(form);
        bytes4 entry = form == 0 ? this.open.selector : this.fix.selector;
        // Nothing here depends on who calls, so evidence is a call to ourselves: decoded by one rule, at one place.
        (bool success, bytes memory answer) = address(this).call(bytes.concat(entry, evidence[32:]));
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id].word;
        if (word & FIXED != 0) return (true, int112(uint112(word)));
        // Not before the end, though the inner instance may be done: until then a Final may still be taken.
        if (word == 0 || block.timestamp <= ((word >> 220) & TIME_LIMIT)) return (false, 0);
        // With all gas there is, and no judgement of its failure: whoever asks us judges ours, which it becomes.
        return INanocontract(address(uint160(word))).outcome(record[id].instance);
    }

    /// @inheritdoc IGate
    function pathId(Path calldata path) external view returns (bytes32) {
        return _id(path);
    }

    function _checkEnd(uint256 end) private view {
        if (end > TIME_LIMIT) revert FinalTimeTooFar(end);
        if (block.timestamp > end) revert TooLate(end, block.timestamp);
    }

    function _checkSigners(address[] calldata parties, bytes32 structHash, bytes[] calldata signatures) private view {
        uint256 count = parties.length;
        if (count < 3 || count > 8 || signatures.length != count) {
            revert WrongPartyCount(count, signatures.length);
        }
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
        for (uint256 i = 0; i < count; ++i) {
            address recovered = LibSignatures.signerOf(digest, signatures[i]);
            if (!LibSignatures.isSigner(recovered, parties[i])) revert WrongSigner(parties[i], recovered);
        }
    }

    function _id(Path calldata path) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, path));
    }
}
