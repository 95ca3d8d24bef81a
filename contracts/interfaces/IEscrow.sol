// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a deal; their hash is its id (protocol, section 4).
/// @param alice Key that signs for Alice.
/// @param bob Key that signs for Bob.
/// @param arbiter Key that may award any part of either lock alone; zero: nobody may.
/// @param aliceLock The most that can move from Alice, in the asset's smallest unit; at most `2**111 - 1`.
/// @param bobLock The most that can move from Bob.
/// @param lateShift What moves from Alice to Bob if neither the arbiter nor both have said anything by `due`; 0: nothing.
/// @param due Last second before `late` counts; whatever it is, `validity` bounds that too.
/// @param validity Last second for the first evidence.
/// @param challenge Seconds after it in which better evidence may come.
/// @param salt Random, so that no id is used twice.
struct Deal {
    address alice;
    address bob;
    address arbiter;
    uint112 aliceLock;
    uint112 bobLock;
    int112 lateShift;
    uint40 due;
    uint40 validity;
    uint32 challenge;
    bytes32 salt;
}

/// @title Money that an arbiter, or both parties, may share out
/// @notice Evidence has a rank: 0 the late rule, which needs no signature; 1 an award by the arbiter; 2 two awards that
/// differ, by which nothing moves; 3 an agreement of both parties. The first, by `validity`, sets a deadline `challenge`
/// seconds ahead; by it a higher rank replaces a lower one, and then the deal is done. Nobody brings anything: nothing
/// moves. Final time: `validity + challenge`.
///
/// What the keys sign (EIP-712): `Award(bytes32 deal,int112 shift)`, the arbiter alone or both parties.
///
/// `submit` takes a word, the form, then what a function takes: 0 `award`, 1 `agree`, 2 `late`.
///
/// What is trusted: the arbiter, by name, with both locks and no more. It can take an award back by signing another one
/// within `challenge`, which gives everything back: so an award counts once the deal is done.
interface IEscrow is INanocontract {
    /// @notice Evidence of this rank stands, by which `shift` moves from Alice to Bob unless better comes by `deadline`.
    event Decided(bytes32 indexed id, uint8 rank, int112 shift, uint40 deadline);

    /// @notice A lock exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice `validity + challenge` does not fit the 34 bits that store a deadline.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice The shift is more than the side that pays it has locked.
    error ShiftTooLarge(int112 shift);

    /// @notice The late rule counts from the second after `limit`.
    error TooEarly(uint256 limit, uint256 timestamp);

    /// @notice `validity`, or the challenge, is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice A signature is malformed (`recovered` is zero) or by another key.
    error WrongSigner(address expected, address recovered);

    /// @notice Evidence for `submit` of an unknown form.
    error UnknownForm(uint256 form);

    /// @notice Brings an award by the arbiter; whoever calls. The same again, or one below what stands, changes nothing
    /// and does not revert; another one by the arbiter makes both void, whichever came first.
    function award(Deal calldata deal, int112 shift, bytes calldata signature) external;

    /// @notice Brings an agreement of both parties; whoever calls. The first stays.
    function agree(
        Deal calldata deal,
        int112 shift,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external;

    /// @notice Says that `due` is over and nobody has brought anything; whoever calls.
    function late(Deal calldata deal) external;

    /// @notice The deal's word, 0 before anything was brought.
    /// @dev From the top: 2 bits rank, 108 zero bits, 34 bits deadline, 112 bits shift.
    function record(bytes32 id) external view returns (uint256);

    /// @notice The instance's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, deal))`.
    function dealId(Deal calldata deal) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun Escrow", version: "1", chainId, verifyingContract}`), fixed at
    /// deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
