// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Every way to say no.
contract Refuser {
    Inner private immutable INNER = new Inner();

    error TooSmall(address who, uint256 given, uint256 least);
    error Nothing();

    function custom(uint256 given) external view returns (uint256) {
        if (given < 10) revert TooSmall(msg.sender, given, 10);
        return given;
    }

    function nothing() external pure {
        revert Nothing();
    }

    function text() external pure {
        revert("in words");
    }

    function bare() external pure {
        // solhint-disable-next-line reason-string
        revert();
    }

    function panic(uint256 divisor) external pure returns (uint256) {
        return 1 / divisor;
    }

    function called() external view {
        INNER.refuse();
    }

    function foreign() external pure {
        assembly {
            mstore(0, 0xdeadbeef00000000000000000000000000000000000000000000000000000000)
            revert(0, 4)
        }
    }

    function burn() external {
        for (uint256 i = 0; true; i++) {
            assembly {
                sstore(i, 1)
            }
        }
    }

    function early(uint256 least) external view returns (uint256) {
        if (block.timestamp < least) revert TooSmall(msg.sender, block.timestamp, least);
        return block.timestamp;
    }
}

contract Inner {
    error Deep(bytes32 where);

    function refuse() external pure {
        revert Deep("below");
    }
}
