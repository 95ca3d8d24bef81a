// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// What the tests of libraries and plain calls need.
contract Math {
    uint256 public counter;

    event Increased(uint256 value);

    function add(int256 a, int256 b) external pure returns (int256) {
        return a + b;
    }

    function multiply7(uint256 a) external pure returns (uint256) {
        return a * 7;
    }

    function increase() external payable returns (uint256) {
        counter += 1;
        emit Increased(counter);
        return counter;
    }
}

library Library13 {
    function multiply13(uint256 a) external pure returns (uint256) {
        return a * 13;
    }
}

contract Multiply13 {
    function multiply13(uint256 a) external pure returns (uint256) {
        return Library13.multiply13(a);
    }
}
