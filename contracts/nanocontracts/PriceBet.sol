// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../LibSignatures.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {Bet, IPriceBet} from "../interfaces/IPriceBet.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";

/// @title PriceBet
/// @notice See `IPriceBet`; the protocol is docs/protocol.md, section 4.
contract PriceBet is IPriceBet {
    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;
    uint256 private constant VOID = 1 << 255;
    uint256 private constant SET = 1 << 254;

    bytes32 private constant PRICE_TYPEHASH = keccak256("Price(bytes32 feed,uint40 time,int112 price)");

    /// @inheritdoc IPriceBet
    bytes32 public constant PRICE_DOMAIN_SEPARATOR = keccak256(
        abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("Perun Price"), keccak256("1"))
    );

    /// @inheritdoc IPriceBet
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun PriceBet");

    /// @inheritdoc IPriceBet
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc IPriceBet
    function submitPrice(Bet calldata bet, int112 price, bytes calldata signature) external {
        bytes32 id = _id(bet);
        uint256 old = record[id];
        if (bet.scale == 0) revert ScaleIsZero();
        int112 shift = _shift(bet, price);
        if (old & VOID != 0 || (old != 0 && int112(uint112(old)) == shift)) return;
        uint256 deadline = _deadline(bet, old);
        _checkSigner(bet.oracle, _digest(bet, price), signature);

        // Two by which something else moves: whoever is mined first, the result is the same.
        uint256 flags = old == 0 ? SET : VOID | SET;
        if (old != 0) shift = 0;
        record[id] = flags | (deadline << 112) | uint112(shift);
        emit Priced(id, old != 0, shift, uint40(deadline));
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        // Nothing here depends on who calls, so evidence is a call to ourselves: decoded by one rule, at one place.
        (bool success, bytes memory answer) = address(this).call(bytes.concat(this.submitPrice.selector, evidence));
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        uint256 word = record[id];
        if (word == 0 || block.timestamp <= _until(word)) return (false, 0);
        return (true, int112(uint112(word)));
    }

    /// @inheritdoc IPriceBet
    function betId(Bet calldata bet) external view returns (bytes32) {
        return _id(bet);
    }

    /// @dev Until when another price makes the bet void; refuses what is early or late, and terms that the word cannot
    /// hold, so that a bet by such terms is never done.
    function _deadline(Bet calldata bet, uint256 old) private view returns (uint256 deadline) {
        if (bet.aliceLock > AMOUNT_LIMIT) revert AmountTooLarge(bet.aliceLock);
        if (bet.bobLock > AMOUNT_LIMIT) revert AmountTooLarge(bet.bobLock);
        uint256 finalTime = uint256(bet.validity) + bet.challenge;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
        if (block.timestamp <= bet.time) revert TooEarly(bet.time, block.timestamp);
        uint256 limit = old == 0 ? bet.validity : _until(old);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        return old == 0 ? block.timestamp + bet.challenge : limit;
    }

    /// @dev Towards zero, then clamped to the locks. In 256 bits: less than 2**113 times at most 2**111.
    function _shift(Bet calldata bet, int112 price) private pure returns (int112) {
        int256 moved = ((int256(price) - bet.strike) * bet.slope) / int256(uint256(bet.scale));
        int256 most = int256(uint256(bet.aliceLock));
        int256 least = -int256(uint256(bet.bobLock));
        if (moved > most) moved = most;
        if (moved < least) moved = least;
        return int112(moved); // what a lock above 2**111 - 1 lets through is refused before it is stored
    }

    function _checkSigner(address signer, bytes32 digest, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(digest, signature);
        if (!LibSignatures.isSigner(recovered, signer)) revert WrongSigner(signer, recovered);
    }

    function _digest(Bet calldata bet, int112 price) private pure returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(PRICE_TYPEHASH, bet.feed, bet.time, price));
        return keccak256(abi.encodePacked(hex"1901", PRICE_DOMAIN_SEPARATOR, structHash));
    }

    function _until(uint256 word) private pure returns (uint256) {
        return (word >> 112) & TIME_LIMIT;
    }

    function _id(Bet calldata bet) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, bet));
    }
}
