// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "../../contracts/interfaces/INanocontract.sol";

/// @title Nanocontracts that decide by order, and one for each way to misbehave
/// @dev MSContract assumes nothing of a nanocontract, so a test may name any of these in a state.

/// @notice Answers what it was told to, and may change its mind: the liar.
contract LiarNanocontract is INanocontract {
    struct Answer {
        bool done;
        int112 shift;
    }

    mapping(bytes32 id => Answer) internal _answers;

    /// @notice Evidence came in.
    event Heard(bytes evidence, address sender);

    function set(bytes32 id, bool done, int112 shift) external {
        _answers[id] = Answer(done, shift);
    }

    function outcome(bytes32 id) external view virtual returns (bool, int112) {
        return (_answers[id].done, _answers[id].shift);
    }

    function submit(bytes calldata evidence) external virtual {
        emit Heard(evidence, msg.sender);
    }
}

/// @notice Answers any call with the bytes it was given: short, long or absurd; reverts with them if told to.
contract RawNanocontract {
    bytes public answer;
    bool public failing;

    function set(bytes calldata answer_, bool failing_) external {
        answer = answer_;
        failing = failing_;
    }

    fallback() external {
        bytes memory data = answer;
        bool fails = failing;
        assembly ("memory-safe") {
            if fails {
                revert(add(data, 32), mload(data))
            }
            return(add(data, 32), mload(data))
        }
    }
}

/// @notice Answers "done, 7" followed by 32 kilobytes of zeros, which nobody must copy.
contract HugeNanocontract {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            mstore(32, 7)
            return(0, 32768)
        }
    }
}

/// @notice Uses up all the gas it is given, in `outcome` and in `submit`.
contract GasBurningNanocontract {
    fallback() external {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Answers only if it has at least `need` gas left and gives up at once, cheaply, if not.
/// @dev The callee that beats a check of the gas made after the call [B9].
contract ThriftyNanocontract is LiarNanocontract {
    uint256 public immutable need;

    error TooLittleGas(uint256 gas);

    constructor(uint256 need_) {
        need = need_;
    }

    function outcome(bytes32 id) external view override returns (bool, int112) {
        if (gasleft() < need) revert TooLittleGas(gasleft());
        return (_answers[id].done, _answers[id].shift);
    }

    function submit(bytes calldata evidence) external override {
        if (gasleft() < need) revert TooLittleGas(gasleft());
        emit Heard(evidence, msg.sender);
    }
}

/// @notice Tries to write in `outcome`; works in a plain call, fails in a static one.
contract WritingNanocontract {
    uint256 public written;

    fallback() external {
        written++;
        assembly ("memory-safe") {
            mstore(0, 1)
            mstore(32, 7)
            return(0, 64)
        }
    }
}

/// @notice Calls `target` with `data` when evidence comes in, and counts what got through.
contract ReenteringNanocontract is LiarNanocontract {
    address public target;
    bytes public data;
    uint256 public tried;
    uint256 public succeeded;

    function setHook(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function submit(bytes calldata) external override {
        if (target == address(0)) return;
        tried++;
        (bool success, ) = target.call(data);
        if (success) succeeded++;
    }
}

/// @notice Decided by a clock alone: `(done after `time`, `shift`)`, both fixed by the id itself.
/// @dev id = time << 128 | uint112(shift); a nanocontract that keeps the rules and needs no transaction.
contract ClockNanocontract is INanocontract {
    function outcome(bytes32 id) external view returns (bool, int112) {
        uint256 time = uint256(id) >> 128;
        return (block.timestamp > time, int112(uint112(uint256(id))));
    }

    function submit(bytes calldata) external {}
}
