package testpattern

// NAL unit headers: nal_ref_idc 3 and the type (ITU-T H.264 table 7-1).
const (
	nalSlice byte = 0x61
	nalIDR   byte = 0x65
	nalSPS   byte = 0x67
	nalPPS   byte = 0x68
)

const (
	frameNumBits = 16
	// pictureQP is the quantizer of the whole picture. At 20 the edges of the
	// letters show no ringing; much lower only costs bits.
	pictureQP = 20
)

// levelFor returns level_idc for a picture size in macroblocks, 3.1 or the
// lowest above it that allows it (table A-1).
func levelFor(mbs, fps int) (level uint32, ok bool) {
	for _, l := range [...]struct {
		level              uint32
		frameMBs, mbsASecs int
	}{
		{31, 3600, 108_000}, {32, 5120, 216_000}, {40, 8192, 245_760},
		{42, 8704, 522_240}, {50, 22_080, 589_824}, {51, 36_864, 983_040},
	} {
		if mbs <= l.frameMBs && mbs*fps <= l.mbsASecs {
			return l.level, true
		}
	}
	return 0, false
}

// sequenceParameterSet returns the SPS NAL unit (§7.3.2.1.1, VUI §E.1.1).
func sequenceParameterSet(o Options) []byte {
	mbw, mbh := macroblocks(o.Width), macroblocks(o.Height)
	level, _ := levelFor(mbw*mbh, o.FPS)
	var w bitWriter
	w.u(66, 8)    // profile_idc: baseline
	w.u(0xE0, 8)  // constraint_set0..2: constrained baseline, as WebRTC's 42e01f
	w.u(level, 8) // level_idc
	w.ue(0)       // seq_parameter_set_id
	w.ue(frameNumBits - 4)
	w.ue(2)               // pic_order_cnt_type: output order is decoding order
	w.ue(1)               // max_num_ref_frames
	w.flag(false)         // gaps_in_frame_num_value_allowed_flag
	w.ue(uint32(mbw - 1)) // pic_width_in_mbs_minus1
	w.ue(uint32(mbh - 1)) // pic_height_in_map_units_minus1
	w.flag(true)          // frame_mbs_only_flag
	w.flag(true)          // direct_8x8_inference_flag
	right, bottom := (mbw*16-o.Width)/2, (mbh*16-o.Height)/2
	w.flag(right > 0 || bottom > 0) // frame_cropping_flag
	if right > 0 || bottom > 0 {
		w.ue(0)
		w.ue(uint32(right))
		w.ue(0)
		w.ue(uint32(bottom))
	}
	w.flag(true) // vui_parameters_present_flag
	w.flag(true) // aspect_ratio_info_present_flag
	w.u(1, 8)    // square samples
	w.flag(false)
	w.flag(true)  // video_signal_type_present_flag
	w.u(5, 3)     // video_format: unspecified
	w.flag(false) // video_full_range_flag
	w.flag(true)  // colour_description_present_flag
	w.u(1, 8)     // colour_primaries: BT.709
	w.u(1, 8)     // transfer_characteristics: BT.709
	w.u(1, 8)     // matrix_coefficients: BT.709
	w.flag(false) // chroma_loc_info_present_flag
	w.flag(true)  // timing_info_present_flag
	w.u(1, 32)    // num_units_in_tick
	w.u(uint32(2*o.FPS), 32)
	// Not fixed_frame_rate_flag: whoever calls Encode may miss a frame.
	w.flag(false)
	w.flag(false) // nal_hrd_parameters_present_flag
	w.flag(false) // vcl_hrd_parameters_present_flag
	w.flag(false) // pic_struct_present_flag
	w.flag(true)  // bitstream_restriction_flag
	w.flag(false) // motion_vectors_over_pic_boundaries_flag
	w.ue(0)       // max_bytes_per_pic_denom: no limit
	w.ue(0)       // max_bits_per_mb_denom: no limit
	w.ue(0)       // log2_max_mv_length_horizontal: every vector is zero
	w.ue(0)       // log2_max_mv_length_vertical
	w.ue(0)       // max_num_reorder_frames: a decoder may output at once
	w.ue(1)       // max_dec_frame_buffering
	w.trailing()
	return w.nal(nalSPS)
}

// pictureParameterSet returns the PPS NAL unit (§7.3.2.2).
func pictureParameterSet() []byte {
	var w bitWriter
	w.ue(0)              // pic_parameter_set_id
	w.ue(0)              // seq_parameter_set_id
	w.flag(false)        // entropy_coding_mode_flag: CAVLC
	w.flag(false)        // bottom_field_pic_order_in_frame_present_flag
	w.ue(0)              // num_slice_groups_minus1
	w.ue(0)              // num_ref_idx_l0_default_active_minus1
	w.ue(0)              // num_ref_idx_l1_default_active_minus1
	w.flag(false)        // weighted_pred_flag
	w.u(0, 2)            // weighted_bipred_idc
	w.se(pictureQP - 26) // pic_init_qp_minus26
	w.se(0)              // pic_init_qs_minus26
	w.se(0)              // chroma_qp_index_offset
	w.flag(true)         // deblocking_filter_control_present_flag
	w.flag(false)        // constrained_intra_pred_flag
	w.flag(false)        // redundant_pic_cnt_present_flag
	w.trailing()
	return w.nal(nalPPS)
}

// sliceHeader writes the header of the picture's one slice (§7.3.3).
func sliceHeader(w *bitWriter, key bool, frameNum, idrPicID uint32) {
	w.ue(0) // first_mb_in_slice
	if key {
		w.ue(7) // slice_type: I, all slices of the picture
	} else {
		w.ue(5) // slice_type: P, all slices of the picture
	}
	w.ue(0) // pic_parameter_set_id
	w.u(frameNum, frameNumBits)
	if key {
		w.ue(idrPicID)
		w.flag(false) // no_output_of_prior_pics_flag
		w.flag(false) // long_term_reference_flag
	} else {
		w.flag(false) // num_ref_idx_active_override_flag
		w.flag(false) // ref_pic_list_modification_flag_l0
		w.flag(false) // adaptive_ref_pic_marking_mode_flag
	}
	w.se(0) // slice_qp_delta
	w.ue(1) // disable_deblocking_filter_idc
}
