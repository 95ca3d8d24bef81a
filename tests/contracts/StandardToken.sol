// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice The ERC-20 most tokens are: OpenZeppelin's, unchanged. Gas is measured with it. `mint` is for anybody.
contract StandardToken is ERC20("Standard", "STD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice The same, with the symbol and the digits that whoever deploys it likes: any text, any number.
contract NamedToken is ERC20 {
    uint8 private immutable _digits;

    constructor(string memory symbol, uint8 digits) ERC20(symbol, symbol) {
        _digits = digits;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public view override returns (uint8) {
        return _digits;
    }
}
