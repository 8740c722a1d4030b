/** Models that make images: VQ models, priors over codes, ImageGPT, GANs, Janus. */
package dev.ocellus.convert.model.maker;
