// Package testpattern makes a moving test picture as H.264 video, in pure Go:
// colour bars, a running clock, a frame counter, a dial and a ball in smooth
// motion, and a stamp in the picture from which a program reads when each
// frame was captured and whether one is missing (ReadStamp).
//
// The stream is constrained baseline (ITU-T H.264 Annex A.2.1.1), one slice a
// picture, an IDR picture at the start of each GOP and P pictures after it. It
// uses Intra_16x16, P_L0_16x16 with zero motion and P_Skip macroblocks, CAVLC,
// no deblocking, picture order count type 2. Macroblocks in which nothing
// moved are skipped and cost nothing.
//
// docs/design/testpattern.md holds the layout of the stamp and the invariants.
package testpattern
