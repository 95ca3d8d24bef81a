// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ECDSA signatures over 32-byte digests; the only `ecrecover` in the tree
/// @notice Accepted are 65 bytes `r,s,v` (v of 27/28 or 0/1) and 64 bytes `r,vs` (EIP-2098). High `s`, any other
/// length or `v`, and a recovered zero address are invalid (protocol, section 2).
/// @dev Other contracts use the internal functions, which are inlined; the external ones are the same code, for a
/// deployment of its own.
library LibSignatures {
    /// @notice The signature has a wrong length or `v`, a high `s`, or belongs to no key.
    error InvalidSignature(uint256 length);

    /// @dev Half of the order of secp256k1, rounded down: the greatest `s` allowed (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice The address whose key has signed `digest`.
    function recover(bytes32 digest, bytes calldata signature) external view returns (address signer) {
        signer = signerOf(digest, signature);
        if (signer == address(0)) revert InvalidSignature(signature.length);
    }

    /// @notice Whether the key of `account` has signed `digest`; false for anything invalid.
    function verify(address account, bytes32 digest, bytes calldata signature) external view returns (bool) {
        address signer = signerOf(digest, signature);
        return signer != address(0) && signer == account;
    }

    /// @notice The address whose key has signed `digest`, or zero if the signature is invalid.
    /// @dev Assembly replaces slicing and `ecrecover` of Solidity, which copy the signature twice.
    function signerOf(bytes32 digest, bytes calldata signature) internal view returns (address signer) {
        assembly ("memory-safe") {
            let s := calldataload(add(signature.offset, 32))
            let v := 0
            switch signature.length
            case 65 {
                v := byte(0, calldataload(add(signature.offset, 64)))
                v := add(v, mul(27, lt(v, 2)))
            }
            case 64 {
                v := add(shr(255, s), 27)
                s := shr(1, shl(1, s))
            }
            let input := mload(0x40)
            mstore(input, digest)
            mstore(add(input, 32), v)
            mstore(add(input, 64), calldataload(signature.offset))
            mstore(add(input, 96), s)
            mstore(0, 0)
            pop(staticcall(gas(), 1, input, 128, 0, 32))
            // No branch: whoever sends a wrong form pays for recovering nobody.
            signer := mul(mload(0), and(lt(sub(v, 27), 2), iszero(gt(s, HALF_ORDER))))
        }
    }

    /// @notice Whether `recovered` is `signer`, and anybody at all.
    /// @dev Assembly replaces `recovered != address(0) && recovered == signer`, two branches; both come clean, one from
    /// `signerOf`, the other from checked terms.
    function isSigner(address recovered, address signer) internal pure returns (bool yes) {
        assembly ("memory-safe") {
            yes := mul(eq(recovered, signer), gt(signer, 0))
        }
    }
}
