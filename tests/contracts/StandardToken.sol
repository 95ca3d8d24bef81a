// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice The ERC-20 most tokens are: OpenZeppelin's, unchanged. Gas is measured with it. `mint` is for anybody.
contract StandardToken is ERC20("Standard", "STD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
