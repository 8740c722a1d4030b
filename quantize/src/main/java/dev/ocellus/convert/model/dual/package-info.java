/** Dual encoders: CLIP, SigLIP and their likes, as transformers and open_clip hold them. */
package dev.ocellus.convert.model.dual;
