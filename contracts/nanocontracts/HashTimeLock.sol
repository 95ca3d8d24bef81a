// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IHashTimeLock, Lock} from "../interfaces/IHashTimeLock.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title HashTimeLock
/// @notice See `IHashTimeLock`; the protocol is docs/protocol.md, section 4.
contract HashTimeLock is IHashTimeLock {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant REVEALED = 1 << 255;

    /// @inheritdoc IHashTimeLock
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun HashTimeLock");

    /// @dev Zero until revealed; then the top bit, and the shift in the low 112 bits (signed).
    mapping(bytes32 id => uint256) private _records;

    /// @inheritdoc IHashTimeLock
    function reveal(Lock calldata lock, bytes32 preimage) external {
        _reveal(lock, preimage);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        (Lock memory lock, bytes32 preimage) = abi.decode(evidence, (Lock, bytes32));
        _reveal(lock, preimage);
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 record = _records[id];
        return (record != 0, int112(uint112(record)));
    }

    /// @inheritdoc IHashTimeLock
    function lockId(Lock calldata lock) external view returns (bytes32) {
        return _lockId(lock);
    }

    function _reveal(Lock memory lock, bytes32 preimage) private {
        bytes32 id = _lockId(lock);
        if (_records[id] != 0) return;
        if (lock.amount > AMOUNT_LIMIT) revert AmountTooLarge(lock.amount);
        if (block.timestamp > lock.deadline) revert TooLate(lock.deadline, block.timestamp);
        bytes32 hash = keccak256(abi.encode(preimage));
        if (hash != lock.hash) revert WrongPreimage(lock.hash, hash);
        int112 amount = int112(lock.amount); // at most 2**111 - 1, checked above
        _records[id] = REVEALED | uint112(lock.bobPays ? -amount : amount);
        emit Revealed(id, preimage);
    }

    function _lockId(Lock memory lock) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, lock));
    }
}
