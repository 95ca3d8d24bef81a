// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MSContract} from "../../contracts/MSContract.sol";

/// @notice Credit in a token that says of balances whatever it likes: this contract is the token (protocol, section 3).
contract CreditProof {
    MSContract private ms = new MSContract();
    uint256 private told;
    uint256 private next;

    function balanceOf(address) external view returns (uint256) {
        return told;
    }

    function transferFrom(address, address, uint256) external returns (bool) {
        told = next;
        return true;
    }

    function _arrives(uint256 amount) private returns (bool) {
        (told, next) = (0, amount);
        try ms.fund(address(this), address(1), 0) {
            return true;
        } catch {
            return false;
        }
    }

    /// @notice Whatever a token claims to have brought, credit takes it, and stops at the greatest number.
    function check_credit_stops(uint256 first, uint256 second) external {
        assert(_arrives(first));
        assert(ms.credit(address(this), address(1)) == first);
        assert(_arrives(second));
        uint256 credit = ms.credit(address(this), address(1));
        unchecked {
            assert(credit == (first + second < first ? type(uint256).max : first + second));
        }
    }

    /// @notice False: it may stop short of the sum.
    function check_refuted_credit_is_the_sum(uint256 first, uint256 second) external {
        if (!_arrives(first) || !_arrives(second)) return;
        unchecked {
            assert(ms.credit(address(this), address(1)) == first + second);
        }
    }
}
