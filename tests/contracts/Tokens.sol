// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tokens that tests pay with: one that behaves, and one for each way not to
/// @dev Every token keeps its books in `PlainToken`; a strange one changes what is moved or what is answered.

/// @notice An ordinary ERC-20: moves what it says and answers true. `mint` is for anybody.
contract PlainToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    error NotEnough(uint256 has, uint256 wants);

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _before(msg.sender, to);
        _move(msg.sender, to, amount);
        _answer();
    }

    function transferFrom(address from, address to, uint256 amount) external {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert NotEnough(allowed, amount);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _before(from, to);
        _move(from, to, amount);
        _answer();
    }

    function _before(address from, address to) internal virtual {}

    function _move(address from, address to, uint256 amount) internal virtual {
        uint256 has = balanceOf[from];
        if (has < amount) revert NotEnough(has, amount);
        balanceOf[from] = has - amount;
        balanceOf[to] += amount;
    }

    /// @dev What the caller gets to read; ends the call.
    function _answer() internal virtual {
        _return(1);
    }

    function _return(uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}

/// @notice Returns nothing, like the best known stablecoin.
contract NoReturnToken is PlainToken {
    function _answer() internal pure override {}
}

/// @notice While `broken`, moves nothing and answers false instead of reverting.
contract FalseToken is PlainToken {
    bool public broken;

    function setBroken(bool value) external {
        broken = value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (!broken) super._move(from, to, amount);
    }

    function _answer() internal view override {
        _return(broken ? 0 : 1);
    }
}

/// @notice Keeps a tenth of every transfer: the receiver gets less than was sent.
contract FeeToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, address(0xfee), amount / 10);
        super._move(from, to, amount - amount / 10);
    }
}

/// @notice Answers true to `transferFrom` and `transfer` while `broken`, and moves nothing.
contract LyingToken is PlainToken {
    bool public broken;

    function setBroken(bool value) external {
        broken = value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (!broken) super._move(from, to, amount);
    }
}

/// @notice Charges a tenth on top to whoever sends: the receiver gets it all, the sender loses more.
contract SurchargeToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        super._move(from, address(0xfee), amount / 10);
    }
}

/// @notice While `inflating`, a transfer leaves its receiver with all that can be counted; while `frozen`, every
/// transfer reverts. Anybody may forge its books.
contract InflatingToken is PlainToken {
    bool public inflating;
    bool public frozen;

    error Frozen();

    function setInflating(bool value) external {
        inflating = value;
    }

    function setFrozen(bool value) external {
        frozen = value;
    }

    function forge(address account, uint256 amount) external {
        balanceOf[account] = amount;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (frozen) revert Frozen();
        if (inflating) balanceOf[to] = type(uint256).max;
        else super._move(from, to, amount);
    }
}

/// @notice Has a block list, as regulated tokens do: a transfer from or to a listed account reverts.
contract BlockingToken is PlainToken {
    mapping(address account => bool) public blocked;

    error Blocked(address account);

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _before(address from, address to) internal view override {
        if (blocked[from]) revert Blocked(from);
        if (blocked[to]) revert Blocked(to);
    }
}

/// @notice While `burning`, uses up all the gas it is given.
contract GasBurningToken is PlainToken {
    bool public burning;

    function setBurning(bool value) external {
        burning = value;
    }

    function _before(address, address) internal view override {
        if (burning) {
            assembly ("memory-safe") {
                invalid()
            }
        }
    }
}

/// @notice While `booming`, reverts with 200 kilobytes, which nobody must copy.
contract BombToken is PlainToken {
    bool public booming;

    function setBooming(bool value) external {
        booming = value;
    }

    function _before(address, address) internal view override {
        if (booming) {
            assembly ("memory-safe") {
                revert(0, 200000)
            }
        }
    }
}

/// @notice Calls `target` before each transfer, as tokens with hooks (ERC-777) let a stranger do.
contract ReenteringToken is PlainToken {
    address public target;
    bytes public data;
    /// @notice How often the inner call was made, and how often it got through.
    uint256 public tried;
    uint256 public succeeded;

    function setHook(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _before(address, address) internal override {
        if (target == address(0)) return;
        tried++;
        (bool success, ) = target.call(data);
        if (success) succeeded++;
    }
}
