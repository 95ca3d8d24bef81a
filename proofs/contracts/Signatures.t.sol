// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../../contracts/LibSignatures.sol";

/// @notice Which signatures count, over all bytes of every length (protocol, section 2). `ecrecover` itself is
/// taken as given: the checker knows it as a function of its four arguments only.
contract SignaturesProof {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    function signer(bytes32 digest, bytes calldata signature) external view returns (address) {
        return LibSignatures.signerOf(digest, signature);
    }

    /// @notice 65 bytes: v of 27/28 or 0/1 and low s, else nobody has signed.
    function check_65_bytes(bytes32 digest, bytes32 r, bytes32 s, uint8 v) external view {
        address found = this.signer(digest, abi.encodePacked(r, s, v));
        uint8 canonical = v < 2 ? v + 27 : v;
        if ((canonical != 27 && canonical != 28) || uint256(s) > HALF_ORDER) assert(found == address(0));
        else assert(found == ecrecover(digest, canonical, r, s));
    }

    /// @notice 64 bytes (EIP-2098): parity in the top bit, low s, else nobody has signed.
    function check_64_bytes(bytes32 digest, bytes32 r, bytes32 vs) external view {
        address found = this.signer(digest, abi.encodePacked(r, vs));
        bytes32 s = vs & bytes32(type(uint256).max >> 1);
        uint8 v = uint8(uint256(vs) >> 255) + 27;
        if (uint256(s) > HALF_ORDER) assert(found == address(0));
        else assert(found == ecrecover(digest, v, r, s));
    }

    /// @notice Any other length up to 96: nobody has signed. (`signerOf` knows no other cases than 64 and 65.)
    function check_other_lengths(bytes32 digest, bytes32 a, bytes32 b, bytes32 c) external view {
        bytes memory signature = abi.encodePacked(a, b, c);
        for (uint256 length; length <= 96; ++length) {
            if (length == 64 || length == 65) continue;
            assembly {
                mstore(signature, length)
            }
            assert(this.signer(digest, signature) == address(0));
        }
    }
}
