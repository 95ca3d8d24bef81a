// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a bet on a price; their hash is its id (protocol, section 4).
/// @param oracle Key of the reporter who signs the price.
/// @param feed What is priced, as the reporter names it.
/// @param time The second whose price counts.
/// @param strike The price at which nothing moves.
/// @param slope What moves from Alice to Bob for `scale` above it; negative: from Bob to Alice.
/// @param scale Not zero.
/// @param aliceLock The most that can move from Alice, in the asset's smallest unit; at most `2**111 - 1`.
/// @param bobLock The most that can move from Bob.
/// @param validity Last second for the first price.
/// @param challenge Seconds after it in which another one by the reporter makes the bet void.
/// @param salt Random, so that no id is used twice.
struct Bet {
    address oracle;
    bytes32 feed;
    uint40 time;
    int112 strike;
    int112 slope;
    uint112 scale;
    uint112 aliceLock;
    uint112 bobLock;
    uint40 validity;
    uint32 challenge;
    bytes32 salt;
}

/// @title A bet on what a reporter will sign
/// @notice `(price - strike) * slope / scale`, rounded towards zero and clamped to the locks, moves from Alice to Bob.
/// The first price, by `validity`, sets a deadline `challenge` seconds ahead. Another one by which something else would
/// move makes the bet void, by that deadline: nothing moves, whichever came first, and no third price changes that.
/// No price by `validity`: nothing moves. Final time: `validity + challenge`.
///
/// What the reporter signs (EIP-712): `Price(bytes32 feed,uint40 time,int112 price)`, in a domain with a name and a
/// version only: a price is a fact, for any number of bets on any chain.
///
/// `submit` takes the encoded arguments of `submitPrice`.
///
/// What is trusted: the reporter, by name, with both locks and no more.
interface IPriceBet is INanocontract {
    /// @notice By the price shown `shift` moves from Alice to Bob, unless another one is shown by `deadline`; `void`:
    /// one has been, and nothing moves.
    event Priced(bytes32 indexed id, bool void, int112 shift, uint40 deadline);

    /// @notice A lock exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice `validity + challenge` does not fit the 34 bits that store a deadline.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice The terms divide by zero.
    error ScaleIsZero();

    /// @notice A price counts from the second after `limit`.
    error TooEarly(uint256 limit, uint256 timestamp);

    /// @notice `validity`, or the challenge, is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice The signature is malformed (`recovered` is zero), or by another key, or for another feed or time.
    error WrongSigner(address expected, address recovered);

    /// @notice Shows what the reporter has signed for the feed at `time`; whoever calls. A price by which the same moves,
    /// or any once the bet is void, changes nothing and does not revert.
    function submitPrice(Bet calldata bet, int112 price, bytes calldata signature) external;

    /// @notice The bet's word, 0 before a price was shown.
    /// @dev From the top: 1 bit void, 1 bit set, 108 zero bits, 34 bits deadline, 112 bits shift.
    function record(bytes32 id) external view returns (uint256);

    /// @notice The instance's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, bet))`.
    function betId(Bet calldata bet) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun PriceBet", version: "1", chainId, verifyingContract}`), fixed at
    /// deployment; ids are made in it.
    function DOMAIN_SEPARATOR() external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun Price", version: "1"}`) of prices.
    function PRICE_DOMAIN_SEPARATOR() external view returns (bytes32);
}
