// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a path over several hubs; their hash is its id (protocol, section 4).
/// @param app Nanocontract that decides what moves between the ends.
/// @param instance Its instance.
/// @param parties Keys of Alice, of the hubs in order, and of Bob; 3 to 8.
/// @param end Last second at which the path can be opened or fixed; the inner instance is asked from the next on.
/// @param salt Random, so that no id is used twice.
struct Path {
    address app;
    bytes32 instance;
    address[] parties;
    uint40 end;
    bytes32 salt;
}

/// @title An instance of another nanocontract, that counts once every party of a path has signed
/// @notice Two forms of evidence, both until `end`, which is the final time:
/// - `open`: every party has signed `Opening(bytes32 path)`. From the second after `end` the path answers what the
///   inner instance does.
/// - `fix`: every party has signed `Final(bytes32 path,int112 shift)`. The path is done at once, with that shift, and
///   the inner instance is never asked.
///
/// The two cannot contradict each other: before `end` the inner instance is not asked, after `end` nothing is taken.
/// An honest party signs one `Final` of a path, so there are never two; of several the first taken stays.
///
/// A path that was neither opened nor fixed is never done, whatever the inner instance says.
///
/// `submit` takes one word, the form, followed by the encoded arguments: 0 `open`, 1 `fix`.
///
/// What the contract does not check, and every party does before it signs: that its own key is in `parties`, once; that
/// `end` is the inner instance's final time (later, and legs that are settled before hear nothing while others hear the
/// shift; earlier, and the inner instance is not done); that `app` is on its list and no `Gate`.
///
/// What is trusted: `app`, with the locks of the path and no more. One that fails or answers nonsense is a path that is
/// not done.
interface IGate is INanocontract {
    /// @notice Every party has agreed that the inner instance counts, from the second after `end`.
    event PathOpened(bytes32 indexed id, address app, bytes32 instance, uint40 end);

    /// @notice Every party has agreed on what moves.
    event PathFixed(bytes32 indexed id, int112 shift);

    /// @notice `end` does not fit the 34 bits that store it.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice `end` is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice Evidence begins with a form that is not known.
    error UnknownForm(uint256 form);

    /// @notice A path has 3 to 8 parties, and a signature for each.
    error WrongPartyCount(uint256 parties, uint256 signatures);

    /// @notice The signature is malformed (`recovered` is zero), or by another key, or over another path or shift.
    error WrongSigner(address expected, address recovered);

    /// @notice Shows that every party has signed `Opening`; whoever calls. A path that is open or fixed stays as it is.
    /// @param signatures In the order of `parties`.
    function open(Path calldata path, bytes[] calldata signatures) external;

    /// @notice Shows that every party has signed `Final` with `shift`; whoever calls. A path that is fixed stays as it is.
    /// @param signatures In the order of `parties`.
    function fix(Path calldata path, int112 shift, bytes[] calldata signatures) external;

    /// @notice The path's word, 0 before anything was shown, and the inner instance, 0 unless the path was opened.
    /// @dev From the top: 1 bit opened, 1 bit fixed (one of the two), 34 bits end; opened: 60 zero bits, 160 bits app;
    /// fixed: 108 zero bits, 112 bits shift.
    function record(bytes32 id) external view returns (uint256 word, bytes32 instance);

    /// @notice The path's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, path))`.
    function pathId(Path calldata path) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun Gate", version: "1", chainId, verifyingContract}`), fixed at
    /// deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
