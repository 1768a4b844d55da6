package nvr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/recordings/recorder/camerafeed"
	"github.com/sightline-cam/sightline/recordings/retention"
)

// IndexFile is the name of the index in the state folder.
const IndexFile = "recordings.db"

// NVR records and plays back. Open makes one; Run records until its context ends;
// Close gives everything back.
type NVR struct {
	// Constant after Open.
	opts     Options
	index    *index.Index
	store    *disk.Store
	recorder *recorder.Recorder
	keeper   *retention.Keeper
	memory   *RemoteMemory
	remotes  []*remoteAgent
	api      *playback.API
	token    string
}

// Open opens the index and the folders. Folders that cannot be used are no error:
// the cameras must be seen all the same.
func Open(ctx context.Context, o Options) (*NVR, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	n := &NVR{opts: o}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return n, nil
}

func (n *NVR) open(ctx context.Context) (err error) {
	o := &n.opts
	if n.token, err = eventToken(o.StateDir); err != nil {
		return err
	}
	log := o.Logger.With("part", "recordings")
	if n.index, err = openIndex(ctx, filepath.Join(o.StateDir, IndexFile), o.Recording.Dirs, log); err != nil {
		return err
	}
	n.store, err = disk.Open(ctx, disk.Options{Dirs: o.Recording.Dirs, Index: n.index, MinFree: leastFree(o.Recording.MinFree), SyncEvery: n.storeSync(), Logger: log})
	if err != nil {
		return err
	}
	if n.recorder, err = n.newRecorder(); err != nil {
		return err
	}
	if err = n.openRemotes(ctx); err != nil {
		return err
	}
	n.keeper, err = retention.New(retention.Options{
		Store: n.deleting(), Rules: n.rules, MinFree: int64(o.Recording.MinFree), Logger: o.Logger.With("part", "retention"),
	})
	if err != nil {
		return err
	}
	n.api, err = playback.New(playback.Options{
		Library: shownLibrary{library{n.store}, func() string { return n.keeper.Status().Reason }}, Standing: o.Standing, Cameras: n.cameras,
		IsNotFound: func(err error) bool { return errors.Is(err, index.ErrNotFound) || errors.Is(err, fs.ErrNotExist) },
		EventToken: func() string { return n.token }, Journal: n.journal, CameFrom: o.CameFrom, Logger: log,
	})
	return err
}

// newRecorder makes what records the cameras.
func (n *NVR) newRecorder() (*recorder.Recorder, error) {
	o := &n.opts
	inputs := make([]recorder.Input, 0, len(o.Cameras))
	for _, c := range o.Cameras {
		if c.Settings.Off || c.Origin != "" {
			continue
		}
		policy, err := policyOf(c.Settings)
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", c.ID(), err)
		}
		inputs = append(inputs, recorder.Input{Camera: c.ID(), Name: c.Name(), Policy: policy, Feeds: camerafeed.Feeds(c.Camera), Signed: c.Signed})
	}
	return recorder.New(recorder.Options{
		Store: library{n.store}, Inputs: inputs, SyncEvery: o.Recording.SyncEvery.Std(), SegmentDuration: o.Recording.SegmentDuration.Std(),
		Writer: "sightline " + o.Version, CauseOf: causeOf, Logger: o.Logger.With("part", "recorder"),
	})
}

// causeOf says what an error of the store means for the gap that it leaves.
func causeOf(err error) recordings.Cause {
	if errors.Is(err, disk.ErrFull) {
		return recordings.DiskFull
	}
	return recordings.DiskFailed
}

// Routes are what the agent's API gets.
func (n *NVR) Routes() []agent.ExtraRoute {
	routes := n.api.Routes()
	out := make([]agent.ExtraRoute, 0, len(routes))
	for _, r := range routes {
		out = append(out, agent.ExtraRoute(r))
	}
	return out
}

// Run records until ctx ends.
func (n *NVR) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	storeCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the recorder writes to the last
	var stored error
	wg.Go(func() { stored = n.store.Run(storeCtx) })
	wg.Go(func() { _ = n.keeper.Run(ctx) }) // only ever ctx's error
	var remotes sync.WaitGroup
	remotes.Go(func() { n.runRemotes(ctx) })
	err := n.recorder.Run(ctx)
	remotes.Wait()
	stop()
	wg.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, stored)
}

// Close closes files and index. Run must have ended. Idempotent.
func (n *NVR) Close(ctx context.Context) error {
	var err error
	if n.store != nil {
		err = n.store.Close(context.WithoutCancel(ctx))
	}
	if n.index != nil {
		err = errors.Join(err, n.index.Close())
	}
	return err
}

// cameras tells playback how each camera stands.
func (n *NVR) cameras() []playback.Camera {
	status := make(map[string]recorder.Status)
	for _, s := range n.recorder.Status() {
		if was, ok := status[s.Camera]; !ok || s.Recording && !was.Recording {
			status[s.Camera] = s
		}
	}
	out := make([]playback.Camera, 0, len(n.opts.Cameras))
	for _, c := range n.opts.Cameras {
		s, known := status[c.ID()]
		v := playback.Camera{ID: c.ID(), Name: c.Name(), Recording: s.Recording, Reason: s.Reason, Origin: c.Origin}
		if !known {
			v.Reason = "This camera is not recorded."
		}
		out = append(out, v)
	}
	return append(out, n.remoteCameras()...)
}

// streamOf names the stream that a status is of.
func streamOf(s recorder.Status) recordings.Stream {
	return recordings.Stream{Camera: s.Camera, Rendition: s.Rendition}
}

// journal writes down who changed something.
func (n *NVR) journal(c playback.Change) {
	if n.opts.Log == nil {
		return
	}
	e := accesslog.Entry{Time: time.Now(), Kind: accesslog.Kind(c.Kind), What: c.What, From: c.From}
	if c.By != nil {
		e.Peer, e.Name = string(c.By.Peer), c.By.Name
	}
	n.opts.Log.Add(e)
}
