// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../../contracts/interfaces/IRules.sol";

/// @notice A game of ten steps, one or two at a time, that is as it should be. What is planted in it is below.
abstract contract Steps {
    function start(bytes32) external pure returns (bytes memory, uint8) {
        return (hex"00", 1);
    }

    function limits() external pure virtual returns (uint32, uint32, uint32) {
        return (10, 1, 1);
    }

    function _step(
        bytes calldata position,
        uint8 turn,
        uint8 steps
    ) internal pure returns (bytes memory, uint8, int32) {
        if (steps == 0 || steps > 2) revert IRules.IllegalMove("one or two");
        uint8 place = uint8(position[0]) + steps;
        return (abi.encodePacked(place), place > 9 ? 0 : 3 - turn, 0);
    }
}

contract HonestSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Reads storage in one position only.
contract StoredSteps is Steps {
    uint256 private _secret;

    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external view returns (bytes memory, uint8, int32) {
        if (p[0] == 0x07 && _secret == 1) return (p, 0, 1e9);
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Never answers a move of 77 from the third step.
contract EndlessSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        if (p[0] == 0x03 && move[0] == 0x4d) while (true) {}
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Pays twice the stake for a step from the fifth.
contract GenerousSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        if (p[0] == 0x05 && move[0] == 0x02) return (p, 0, 2e9);
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Goes back to the beginning from the sixth step: nobody has to lose.
contract RoundSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        if (p[0] == 0x06 && move[0] == 0x01) return (hex"00", 3 - turn, 0);
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Has no move from the eighth step.
contract StuckSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        if (p[0] == 0x08) revert IRules.IllegalMove("never");
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Says that a game takes half as many moves as it does.
contract LongSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        return _step(p, turn, uint8(move[0]));
    }

    function limits() external pure override returns (uint32, uint32, uint32) {
        return (5, 1, 1);
    }
}

/// @notice Hashes for two million gas from the second step.
contract DearSteps is Steps {
    function play(
        bytes calldata p,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory, uint8, int32) {
        bytes32 hash;
        if (p[0] == 0x02) for (uint256 i = 0; i < 6000; ++i) hash = keccak256(abi.encode(hash, i));
        if (hash == 0 && p[0] == 0x02) revert IRules.IllegalMove("never");
        return _step(p, turn, uint8(move[0]));
    }
}

/// @notice Decides by the second in which it is asked: no node admits it, the chain takes it.
contract ClockSteps is Steps {
    function play(bytes calldata p, uint8, bytes calldata) external view returns (bytes memory, uint8, int32) {
        return (p, 0, block.timestamp % 2 == 0 ? int32(1e9) : int32(-1e9));
    }
}
