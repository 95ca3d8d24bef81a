// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../../contracts/interfaces/IRules.sol";

/// @notice Rules that do whatever the first byte of the position says.
contract StrangeRules is IRules {
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn) {
        return (abi.encodePacked(uint8(uint256(setup))), 1);
    }

    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        uint8 kind = uint8(position[0]);
        if (kind == 0) revert IllegalMove("never");
        if (kind == 1) while (true) {} // until the gas is gone
        if (kind == 2) return (position, 3, 0);
        if (kind == 3) _answer(200_000);
        if (kind == 4) _answer(0);
        if (kind == 5) _answer(96);
        if (kind == 6) return (new bytes(4097), turn, 0);
        if (kind == 7) return (position, 0, int32(uint32(bytes4(move))));
        if (kind == 9) _say(move);
        return (position, turn, 0);
    }

    function limits() external pure returns (uint32, uint32, uint32) {
        return (1, 1, 4);
    }

    /// @dev The answer is these bytes and no more.
    function _say(bytes calldata answer) private pure {
        bytes memory said = answer;
        assembly ("memory-safe") {
            return(add(said, 32), mload(said))
        }
    }

    /// @dev Garbage of this length: an offset far away.
    function _answer(uint256 length) private pure {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, not(0))
            return(m, length)
        }
    }
}
