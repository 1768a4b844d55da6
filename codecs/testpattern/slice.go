package testpattern

// sliceEncoder codes the macroblocks of a picture's one slice. Everything in
// it but frame and the tables belongs to the macroblock or picture being
// coded.
type sliceEncoder struct {
	frame frame
	cavlc *cavlc
	quant struct{ intra, inter quantizer }

	w   bitWriter
	key bool
	run uint32 // mb_skip_run: macroblocks skipped since the last coded one
	// Coefficients by 4x4 block in the current picture, for nC.
	lumaTotals   []uint8
	chromaTotals [2][]uint8

	src, pred, trial pixels
	near             neighbours
	res              residuals
}

func newSliceEncoder(mbWidth, mbHeight int) *sliceEncoder {
	s := &sliceEncoder{frame: newFrame(mbWidth, mbHeight), cavlc: newCAVLC()}
	s.quant.intra = newQuantizer(pictureQP)
	s.quant.inter = s.quant.intra
	s.quant.inter.deadzone /= 2 // a sixth of a step
	n := mbWidth * mbHeight
	s.lumaTotals = make([]uint8, n*16)
	s.chromaTotals = [2][]uint8{make([]uint8, n*4), make([]uint8, n*4)}
	return s
}

// begin starts a picture.
func (s *sliceEncoder) begin(key bool, frameNum, idrPicID uint32) {
	s.w.reset()
	s.key, s.run = key, 0
	clear(s.lumaTotals)
	clear(s.chromaTotals[0])
	clear(s.chromaTotals[1])
	sliceHeader(&s.w, key, frameNum, idrPicID)
}

// skip leaves the next n macroblocks as they were. P pictures only. All motion
// is zero, so the inferred motion of P_Skip is zero everywhere.
func (s *sliceEncoder) skip(n int) { s.run += uint32(n) }

// end finishes the picture and returns its NAL unit.
func (s *sliceEncoder) end() []byte {
	if s.run > 0 {
		s.w.ue(s.run)
	}
	s.w.trailing()
	if s.key {
		return s.w.nal(nalIDR)
	}
	return s.w.nal(nalSlice)
}

// code codes the macroblock in s.src. For grain, which nothing predicts well,
// the prediction is not searched for.
func (s *sliceEncoder) code(mbx, mby int, grain bool) {
	interCost := -1
	if !s.key {
		s.frame.load(&s.pred, mbx, mby)
		if grain {
			s.inter(mbx, mby)
			return
		}
		interCost = cost(&s.src.luma, &s.pred.luma, false)
		if interCost == 0 && s.pred.chroma == s.src.chroma {
			s.skip(1)
			return
		}
	}
	s.frame.neighbours(&s.near, mbx, mby)
	if grain {
		s.near.predictLuma(lumaDC, &s.pred.luma)
		s.intra(lumaDC, mbx, mby)
		return
	}
	mode := s.chooseLuma(interCost)
	if mode < 0 {
		s.inter(mbx, mby)
		return
	}
	s.intra(mode, mbx, mby)
}

// chooseLuma returns the luma prediction mode that promises the fewest bits,
// its prediction in s.pred, or -1 for the inter prediction that stands there
// already, whose cost is given; negative means there is none.
func (s *sliceEncoder) chooseLuma(interCost int) int {
	best, bestCost := -1, interCost
	for mode := range 3 {
		if bestCost == 0 || !s.near.predictLuma(mode, &s.trial.luma) {
			continue
		}
		c := 0
		if s.trial.luma != s.src.luma {
			c = cost(&s.src.luma, &s.trial.luma, true)
		}
		if bestCost < 0 || c < bestCost {
			best, bestCost = mode, c
			s.pred.luma = s.trial.luma
		}
	}
	return best
}

// inter codes a P_L0_16x16 macroblock with zero motion, its prediction in
// s.pred.
func (s *sliceEncoder) inter(mbx, mby int) {
	q := &s.quant.inter
	cbp := s.res.interLuma(q, &s.src.luma, &s.pred.luma)
	s.res.codeChroma(q, &s.src.chroma, &s.pred.chroma)
	cbp |= s.res.chromaCBP << 4
	if cbp == 0 {
		s.skip(1)
		return
	}
	s.frame.store(&s.pred, mbx, mby)
	w := &s.w
	w.ue(s.run)
	s.run = 0
	w.ue(0) // mb_type: P_L0_16x16
	w.se(0) // mvd_l0: all vectors, so all their predictions, are zero
	w.se(0)
	w.ue(uint32(s.cavlc.interCBP[cbp]))
	w.se(0) // mb_qp_delta
	for blk := range 16 {
		if cbp>>(blk/4)&1 != 0 {
			s.lumaBlock(blk, 0, mbx, mby)
		}
	}
	s.chromaBlocks(mbx, mby)
}

// intra codes an Intra_16x16 macroblock, its luma prediction in s.pred.
func (s *sliceEncoder) intra(mode, mbx, mby int) {
	q := &s.quant.intra
	ac := s.res.intraLuma(q, &s.src.luma, &s.pred.luma)
	chromaMode, chromaCost := chromaDC, -1
	for _, m := range [...]int{chromaDC, chromaVertical, chromaHorizontal} {
		if chromaCost == 0 || !s.near.predictChroma(m, &s.trial.chroma) {
			continue
		}
		if s.trial.chroma == s.src.chroma {
			chromaMode, chromaCost, s.pred.chroma = m, 0, s.trial.chroma
		} else if c := costChroma(&s.src.chroma, &s.trial.chroma); chromaCost < 0 || c < chromaCost {
			chromaMode, chromaCost = m, c
			s.pred.chroma = s.trial.chroma
		}
	}
	s.res.codeChroma(q, &s.src.chroma, &s.pred.chroma)
	s.frame.store(&s.pred, mbx, mby)

	w := &s.w
	mbType := uint32(1 + mode + 4*s.res.chromaCBP) // table 7-11
	if ac {
		mbType += 12
	}
	if !s.key {
		w.ue(s.run)
		s.run = 0
		mbType += 5
	}
	w.ue(mbType)
	w.ue(uint32(chromaMode))
	w.se(0) // mb_qp_delta
	// The DC block takes the nC of block 0, but does not count in the totals.
	s.cavlc.residual(w, s.res.lumaDC[:], tokenColumn(s.lumaNC(mbx*4, mby*4)))
	if ac {
		for blk := range 16 {
			s.lumaBlock(blk, 1, mbx, mby)
		}
	}
	s.chromaBlocks(mbx, mby)
}

// lumaBlock writes a luma block from scan index first on.
func (s *sliceEncoder) lumaBlock(blk, first, mbx, mby int) {
	x, y := mbx*4+lumaX(blk), mby*4+lumaY(blk)
	column := tokenColumn(s.lumaNC(x, y))
	if !s.res.lumaSome[blk] {
		s.cavlc.put(&s.w, s.cavlc.coeffToken[column][0][0])
		return
	}
	n := s.cavlc.residual(&s.w, s.res.luma[blk][first:], column)
	s.lumaTotals[y*s.frame.mbWidth*4+x] = uint8(n)
}

func (s *sliceEncoder) lumaNC(x, y int) int {
	return meanTotal(s.lumaTotals, s.frame.mbWidth*4, x, y)
}

// chromaBlocks writes the chroma coefficients.
func (s *sliceEncoder) chromaBlocks(mbx, mby int) {
	if s.res.chromaCBP == 0 {
		return
	}
	for c := range 2 {
		s.cavlc.residual(&s.w, s.res.chromaDC[c][:], columnChromaDC)
	}
	if s.res.chromaCBP < 2 {
		return
	}
	stride := s.frame.mbWidth * 2
	for c := range 2 {
		for blk := range 4 {
			x, y := mbx*2+blk%2, mby*2+blk/2
			column := tokenColumn(meanTotal(s.chromaTotals[c], stride, x, y))
			if !s.res.chromaSome[c][blk] {
				s.cavlc.put(&s.w, s.cavlc.coeffToken[column][0][0])
				continue
			}
			n := s.cavlc.residual(&s.w, s.res.chroma[c][blk][1:], column)
			s.chromaTotals[c][y*stride+x] = uint8(n)
		}
	}
}

// meanTotal returns nC (§9.2.1): the mean number of coefficients of the blocks
// left of and above block x, y, or that of the one that exists.
func meanTotal(totals []uint8, stride, x, y int) int {
	at := y*stride + x
	switch {
	case x > 0 && y > 0:
		return (int(totals[at-1]) + int(totals[at-stride]) + 1) >> 1
	case x > 0:
		return int(totals[at-1])
	case y > 0:
		return int(totals[at-stride])
	}
	return 0
}
