package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// format is the version of the files. A program refuses what is newer than itself.
const format = 1

// maxSeconds is the largest time that a browser's numbers hold exactly.
const maxSeconds = 1<<53 - 1

var errForm = errors.New("it does not have the form of ours")

// header begins every file.
type header struct {
	Format int    `json:"format"`
	Epoch  string `json:"epoch"`
}

func newHeader(epoch string) header { return header{Format: format, Epoch: epoch} }

// ownersFile is who the owners are, and what was revoked here.
type ownersFile struct {
	header
	Lists   json.RawMessage     `json:"lists"` // access.ListState, or null without an owner
	Root    access.Owner        `json:"root"`
	Revoked []access.Revocation `json:"revoked"`
}

// claimsFile is who may come with which secret, and who became an owner so.
type claimsFile struct {
	header
	Invites []inviteEntry   `json:"invites"`
	Console []consoleInvite `json:"console"`
	Pending []pendingEntry  `json:"pending"`
}

type inviteEntry struct {
	Invite string `json:"invite"`
	Secret []byte `json:"secret"`
	Used   bool   `json:"used"`
	Grant  string `json:"grant"`
}

type pendingEntry struct {
	ID     identity.PeerID `json:"id"`
	Name   string          `json:"name"`
	Device string          `json:"device"`
	Invite string          `json:"invite"`
	Since  int64           `json:"since"`
}

// holderFile is what was seen of one guest.
type holderFile struct {
	header
	Seen   int64    `json:"seen"`
	Grants []string `json:"grants"`
}

// clockFile is the latest time that an owner has signed.
type clockFile struct {
	header
	Latest int64 `json:"latest"`
}

// decode reads a file strictly, and its header first.
func decode(data []byte, v any) (epoch string, err error) {
	var head header
	if err := json.Unmarshal(data, &head); err != nil {
		return "", err
	}
	if head.Format > format {
		return "", errors.New("a newer version of this program has written it; use that")
	}
	if head.Format != format || access.ValidateToken(head.Epoch, access.TokenSize) != nil {
		return "", errForm
	}
	return head.Epoch, strictjson.Unmarshal(data, v)
}

func encodeOwners(s *state, epoch string) (ownersFile, error) {
	lists, err := json.Marshal(s.lists)
	if err != nil {
		return ownersFile{}, fmt.Errorf("encode the access lists: %w", err)
	}
	return ownersFile{header: newHeader(epoch), Lists: lists, Root: s.root, Revoked: append([]access.Revocation{}, s.revoke...)}, nil
}

// decodeOwners fills s, unless there is an error.
func decodeOwners(data []byte, s *state) (epoch string, err error) {
	var in ownersFile
	if epoch, err = decode(data, &in); err != nil {
		return "", err
	}
	var lists *access.ListState
	if err := json.Unmarshal(in.Lists, &lists); err != nil {
		return "", err
	}
	if in.Revoked == nil || len(in.Revoked) > maxRevokedHere {
		return "", errForm
	}
	for _, r := range in.Revoked {
		isGrant := r.Kind == access.RevokedGrant && access.ValidateToken(r.ID, access.TokenSize) == nil
		isPeer := r.Kind == access.RevokedPeer && identity.PeerID(r.ID).Validate() == nil
		if !isGrant && !isPeer || !isTime(r.Expires) || !isTime(r.Time) {
			return "", errForm
		}
	}
	if lists != nil && in.Root.ID.Validate() != nil {
		return "", errForm
	}
	s.lists, s.root, s.revoke = lists, in.Root, in.Revoked
	return epoch, nil
}

func encodeClaims(s *state, epoch string) claimsFile {
	out := claimsFile{
		header: newHeader(epoch), Invites: []inviteEntry{}, Console: append([]consoleInvite{}, s.console...), Pending: []pendingEntry{},
	}
	for _, r := range s.invites {
		e := inviteEntry{Invite: r.invite.Compact(), Secret: r.secret, Used: r.used}
		if r.grant != nil {
			e.Grant = r.grant.Compact()
		}
		out.Invites = append(out.Invites, e)
	}
	for _, p := range s.pending {
		out.Pending = append(out.Pending, pendingEntry{
			ID: p.ID, Name: p.Name, Device: p.Device, Invite: p.invite.Compact(), Since: p.Since,
		})
	}
	return out
}

// decodeClaims fills s, unless there is an error.
func decodeClaims(data []byte, s *state) (epoch string, err error) {
	var in claimsFile
	if epoch, err = decode(data, &in); err != nil {
		return "", err
	}
	if in.Invites == nil || in.Console == nil || in.Pending == nil ||
		len(in.Invites) > maxInviteRecords || len(in.Console) > maxConsoleInvites || len(in.Pending) > access.MaxOwners {
		return "", errForm
	}
	var invites []inviteRecord
	for _, e := range in.Invites {
		r := inviteRecord{secret: e.Secret, used: e.Used}
		if r.invite, err = access.ParseInvite(e.Invite); err != nil {
			return "", err
		}
		if len(e.Secret) != access.TokenSize || access.CommitOf(e.Secret) != r.invite.Commit || e.Grant != "" && !e.Used {
			return "", errForm
		}
		if e.Grant != "" {
			if r.grant, err = access.ParseGrant(e.Grant); err != nil {
				return "", err
			}
		}
		invites = append(invites, r)
	}
	for _, c := range in.Console {
		if access.ValidateToken(c.ID, access.TokenSize) != nil || !isTime(c.Expires) {
			return "", errForm
		}
	}
	pending, err := decodePending(in.Pending)
	if err != nil {
		return "", err
	}
	s.invites, s.console, s.pending = invites, in.Console, pending
	return epoch, nil
}

func decodePending(entries []pendingEntry) (pending []pendingOwner, err error) {
	for _, e := range entries {
		p := pendingOwner{ID: e.ID, Name: e.Name, Device: e.Device, Since: e.Since}
		if p.invite, err = access.ParseInvite(e.Invite); err != nil {
			return nil, err
		}
		if p.ID.Validate() != nil || !p.invite.Owner || !isTime(p.Since) ||
			access.ValidateName("name", p.Name) != nil || access.ValidateName("device", p.Device) != nil {
			return nil, errForm
		}
		if slices.ContainsFunc(pending, func(o pendingOwner) bool { return o.ID == p.ID }) {
			return nil, errForm
		}
		pending = append(pending, p)
	}
	return pending, nil
}

func encodeHolder(grants []*access.Grant, seen int64, epoch string) holderFile {
	out := holderFile{header: newHeader(epoch), Seen: seen, Grants: []string{}}
	for _, g := range grants {
		out.Grants = append(out.Grants, g.Compact())
	}
	return out
}

// decodeHolder reads what was seen of a guest.
func decodeHolder(data []byte, peer identity.PeerID) (h *holder, epoch string, err error) {
	var in holderFile
	if epoch, err = decode(data, &in); err != nil {
		return nil, "", err
	}
	if in.Grants == nil || len(in.Grants) > maxGrantsEach || !isTime(in.Seen) {
		return nil, "", errForm
	}
	var grants []*access.Grant
	for _, compact := range in.Grants {
		g, err := access.ParseGrant(compact)
		if err != nil {
			return nil, "", err
		}
		if g.Holder != peer {
			return nil, "", errForm
		}
		grants = append(grants, g)
	}
	return newHolder(grants, in.Seen), epoch, nil
}

func decodeClock(data []byte) (latest int64, epoch string, err error) {
	var in clockFile
	if epoch, err = decode(data, &in); err != nil {
		return 0, "", err
	}
	if !isTime(in.Latest) {
		return 0, "", errForm
	}
	return in.Latest, epoch, nil
}

func isTime(seconds int64) bool { return seconds >= 0 && seconds <= maxSeconds }
