// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Math} from "./Math.sol";

interface IToken {
    function totalSupply() external view returns (uint256);
}

/// Constructor arguments, immutables and an address of another contract.
contract Token is IToken {
    uint256 public immutable totalSupply;
    Math public immutable counted;
    string public title;

    constructor(string memory name, uint256 supply, Math math) {
        require(supply > 0, "no supply");
        title = name;
        totalSupply = supply;
        counted = math;
    }
}
