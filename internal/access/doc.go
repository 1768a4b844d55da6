// Package access is the model of who may do what: grants, invites and access
// lists, the chain from a grant back to an owner, and what is in force when
// owners disagree. It is pure: no files, no network, no clock of its own.
// docs/design/access.md has the reasons and the numbered invariants.
//
// # Tokens
//
// All are compact JWS by identity.SignTyped (ES256, the signer's public key in
// the header), told apart by "typ". A payload has exactly the members below, in
// any order, none missing, none null, none twice; numbers are whole seconds since
// 1970 or counts, at most 2^53-1. "token" is 16 bytes, "hash" 32 bytes, in
// canonical unpadded base64url. Names have at most 64 code points and no control
// characters. Whoever signs JSON writes the members in this order.
//
// Grant, typ "sightline-grant+jwt", at most 6,144 bytes:
//
//	iss      PeerID of the signer
//	sub      PeerID of the holder
//	cnf      {"kid": the same}: a PeerID is the hash of the key (RFC 7800 §3.4)
//	aud      id of a home, or PeerID of the one publisher where it is good
//	jti      token
//	iat, exp when it was made, and when it ends; exp 0: when it is revoked
//	name     what the giver calls the holder
//	device   what the holder calls the device
//	rights   1 to 6 of "live", "playback", "talk", "ptz", "events", "admin"
//	cameras  1 to 64 of "*", "<PeerID>/*", "<PeerID>/<camera id>"; a camera id
//	         has 1 to 64 of a-z, 0-9, - and _, and begins with none of the last two
//	pass     whether the holder may pass it on
//	owner    false
//	prf      the invite or the grant it was made of, compact; or ""
//
// Invite, typ "sightline-invite+jwt", at most 4,096 bytes:
//
//	iss, aud, jti, iat  as above
//	exp      when it can no more be redeemed: after iat, at most 7 days
//	redeemer PeerID of the publisher that knows its secret
//	commit   hash: SHA-256 of the 16 bytes of the secret
//	name, rights, cameras, pass   as above, of the grant it will be
//	grantExp the exp of the grant
//	owner    whether its redeemer becomes an owner, instead of a grant
//	prf      the grant that is passed on, compact; or ""
//
// Access list, typ "sightline-access+jws", at most 73,728 bytes:
//
//	type       "access"
//	home       token, the same in all versions
//	version    from 1, one more than in the list before
//	previous   hash: SHA-256 of the list before as it was signed, the text
//	           header.payload without the signature; "" in version 1 only
//	time       when it was signed
//	owners     1 to 16 of {"id","name","device"}, the most senior first
//	publishers up to 64 of {"id","name","kind":"agent"|"recorder","signal"};
//	           signal is "", or at most 256 characters like wss://host:443/: ws or
//	           wss, a host of a-z, 0-9, ".", "-", or of 0-9, a-f, ":", "." in
//	           brackets, if need be a port of 1 to 65535 without zeros before it,
//	           if need be a slash; no path
//	revoked    up to 400 of {"kind":"grant"|"peer","id","exp","time"}, id being
//	           a jti (of a grant or an invite) or a PeerID that is no owner's;
//	           after exp, if it is not 0, later lists may leave it out
//
// # Chains
//
// A chain is a grant and what is in its prf, up to a token without one: at most 4
// tokens, at most 3 of them grants. ParseGrant and ParseInvite check signatures
// and form, Authority.Check and CheckInvite, link by link, what it is worth:
//
//   - Holder: sub is the peer that shows the grant.
//   - Audience: aud is this publisher or its home, in every link.
//   - Issuer: iss of the last link is an owner now, or this publisher with itself
//     as aud; iss of any other is the sub of its parent, or, if that is an invite,
//     its redeemer, which is this publisher or one of the list in force: a
//     publisher that was taken off the list makes no grants for the others. An
//     invite with owner is an owner's own.
//   - Narrowing: rights, cameras, end and pass are within the parent's, and a
//     parent that is a grant has pass. No grant is made of an invite with owner.
//   - Revoked: no jti, issuer, holder or redeemer in the chain is revoked.
//   - Expiry: no link has ended; an invite had not when it was redeemed.
//
// # Access lists, and owners who disagree
//
// What is in force follows from which lists a publisher has accepted, not from
// their order (ListState). Lists are ordered as a tree by their previous. A list
// whose previous is not known is of unknown origin: it is supposed to be made of
// the oldest list known in which its signer was an owner.
//
//  1. A list counts if an owner of the list it was made of has signed it. The
//     first list of a publisher is signed by the owner who paired with it.
//  2. In force is the list with the highest version on which nothing was made;
//     of two, the one of the more senior signer. A successor of the list in force
//     is taken as it is, and may give back what its predecessor took away.
//  3. A list that is known, or older and with nothing new, is refused
//     (check.ListVersion). It never replaces a newer one.
//  4. A list beside the one in force takes away and gives nothing: what it
//     revokes, and owners whom it removes, are carried (Carried, RemovedOwners).
//     This is a conflict, and lasts until a list with a higher version than it has
//     takes away all of it too: made of Draft, by an owner who has seen both.
//     After that a successor may give it back.
//  5. A list of unknown origin that takes force is no successor: what the list
//     before it revoked and it does not is carried, as in 4, unless it was over
//     by the new list's time. When the lists between arrive, rule 2 holds again.
//  6. If two owners remove each other without knowing of the other's list, the
//     more senior prevails: a list overrules those made beside it whose signers it
//     removes and who are less senior. An overruled list counts for nothing. What
//     others made of it counts as of unknown origin; what somebody at least as
//     senior as the remover has built upon is not overruled. A list of unknown
//     origin overrules only lists that remove its own signer. Seniority is the
//     order of owners in the oldest list known, then of their coming.
//  7. Somebody remains: if the owners have all taken each other away, those of the
//     list in force are the owners.
//  8. Owners who stay keep their order, new ones come last, in every successor.
//     A version is one more than that of a known previous, and at most 1,000
//     more than any known.
//  9. Lists are remembered for 8 versions, and longer while a conflict goes back
//     further, or while an owner whom somebody less senior removed may answer
//     (MayDispute): for 30 days after that list came, or was signed if that is
//     later by at most as much. Lists between it and the newest 8 may be left out
//     if they change no owners. What an older one says of owners is settled; older
//     lists that arrive late, by those who still are owners, can only revoke. At
//     most 32 are remembered (Remembered); then only a list that ends a conflict
//     is accepted (ErrUnsettled).
//
// # Claims
//
// ClaimProof is how the holder of a link proves its secret, and the publisher that
// it knows it too.
package access
