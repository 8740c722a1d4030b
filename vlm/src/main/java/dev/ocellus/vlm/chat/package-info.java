/**
 * What a caller says and gets: messages, tools, options of an answer, the answer itself. Plain
 * values with no model behind them.
 *
 * <p>It may use images and sampling settings and knows no model, template or session, so that every
 * other package can speak in its terms.
 */
package dev.ocellus.vlm.chat;
