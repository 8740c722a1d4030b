/**
 * From the parameters of a request to answers, for all APIs: what they call alike is read here, and
 * a turn is followed until its client leaves or its time is over.
 */
package dev.ocellus.server.chat;
